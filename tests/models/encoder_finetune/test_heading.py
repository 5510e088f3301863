import numpy as np
import pytest
import torch
from torch import nn

from headway.models.encoder_finetune.heading import solve_head
from headway.networks.batches import Arrays, Lesson
from headway.networks.plan import Plan
from headway.tasks import Classify, Regress

POOLED = np.random.default_rng(0).normal(3.0, 2.0, (300, 5)).astype(np.float32)


def head_for(y, task, plan, weight=None):
    head = nn.Linear(5, task.width)
    solve_head(head, POOLED, Lesson(Arrays((POOLED,)), y, weight), task, plan)
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
