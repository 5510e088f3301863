import numpy as np
import pytest
import torch
from torch import nn

from headway.models.encoder_finetune import heading
from headway.models.encoder_finetune.heading import solve_head
from headway.networks.batches import Arrays, Lesson
from headway.networks.plan import Plan
from headway.tasks import Classify, Regress

POOLED = np.random.default_rng(0).normal(3.0, 2.0, (300, 5)).astype(np.float32)


def head_for(y, task, plan, weight=None):
    head = nn.Linear(5, task.width)
    solve_head(head, POOLED, Lesson(Arrays((POOLED,)), y, weight), task, plan, seed=0)
    with torch.inference_mode():
        return head(torch.from_numpy(POOLED)).numpy()


def test_classes_are_told_apart_as_by_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    y = (POOLED[:, 0] + 0.3 * POOLED[:, 1] > 4).astype(np.int64) + (POOLED[:, 2] > 4)
    scaled = (POOLED - POOLED.mean(0)) / POOLED.std(0)
    theirs = LogisticRegression(C=1.0).fit(scaled, y).predict(scaled)
    assert (head_for(y, Classify(("a", "b", "c")), Plan()).argmax(1) == theirs).mean() > 0.98


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_values_are_met_on_their_scale(loss):
    y = (1e4 + 100 * POOLED[:, 3]).astype(np.float32)
    z = head_for(y, Regress(), Plan(loss=loss))[:, 0]
    assert np.abs(z * y.std() + y.mean() - y).mean() < 10


def test_rows_without_weight_teach_nothing():
    y = (POOLED[:, 0] > 3).astype(np.int64)
    wrong = np.r_[y[:150], 1 - y[150:]]
    weight = np.r_[np.ones(150), np.zeros(150)].astype(np.float32)
    assert (head_for(wrong, Classify(("a", "b")), Plan(), weight).argmax(1) == y).mean() > 0.95


def test_few_rows_with_many_features_are_held_back_more():
    generator = np.random.default_rng(0)
    pooled = generator.normal(size=(1_200, 200)).astype(np.float32)
    y = (pooled[:, :20].sum(1) + 4 * generator.normal(size=1_200) > 0).astype(np.int64)
    few, tested = slice(0, 200), slice(200, 1_200)
    found = []
    for penalties in ((1.0,), heading.PENALTIES):
        head = nn.Linear(200, 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(heading, "PENALTIES", penalties)
            lesson = Lesson(Arrays((pooled[few],)), y[few])
            heading.solve_head(head, pooled[few], lesson, Classify(("a", "b")), Plan(), seed=0)
        with torch.inference_mode():
            outputs = head(torch.from_numpy(pooled[tested]))
        loss = nn.functional.cross_entropy(outputs, torch.from_numpy(y[tested]))
        found.append((float(loss), float((outputs.argmax(1).numpy() == y[tested]).mean())))
    assert found[1][0] < 0.6 * found[0][0]
    assert found[1][1] > found[0][1]
