import numpy as np
import pytest
import torch
from torch import nn

from headway.compute.clock import Clock
from headway.models.encoder_multitask.network import PACE, Goal, Multitask, goals_of, scaled
from headway.networks.batches import Arrays, Lesson
from headway.networks.losses import SelfJudged
from headway.networks.plan import Plan
from headway.networks.training import train
from headway.tasks import Classify, Part, Regress, Several

TASK = Several((Part("topic", Classify(("a", "b", "c")), "accuracy"), Part("price", Regress(), "r2")))
PLANS = (Plan(), Plan(loss="mse"))
Y = np.array([[0, 10], [2, 30], [np.nan, 20], [1, np.nan]], np.float32)


def network(goals=None):
    return Multitask(nn.Linear(2, 4), goals or goals_of(Y, None, TASK, PLANS))


def test_values_are_learnt_at_deviation_1_and_what_is_missing_stays_so():
    goals = goals_of(Y, None, TASK, PLANS)
    assert goals[1].scale == (20.0, float(np.std([10, 30, 20])))
    assert [goal.share for goal in goals] == [0.75, 0.75]
    z = scaled(Y, goals)
    assert z[:, 0].tolist()[:2] == [0, 2]
    assert np.isnan(z).sum() == 2
    np.testing.assert_allclose(np.nanmean(z[:, 1]), 0, atol=1e-6)


def test_what_a_row_lacks_gives_its_head_no_gradient():
    learner = network()
    outputs = torch.zeros(4, 4, requires_grad=True)
    learner.row_loss(outputs, torch.from_numpy(scaled(Y, learner.goals))).sum().backward()
    assert outputs.grad[2, :3].abs().sum() == 0
    assert outputs.grad[3, 3] == 0
    assert (outputs.grad[[0, 1, 3], :3].abs().sum(1) > 0).all()


def test_losses_are_balanced_by_learnt_uncertainty():
    learner = network()
    outputs, y = torch.randn(4, 4), torch.from_numpy(scaled(Y, learner.goals))
    topic = nn.functional.cross_entropy(outputs[[0, 1, 3], :3], torch.tensor([0, 2, 1]))
    price = (outputs[:3, 3] - y[:3, 1]).square().mean()
    torch.testing.assert_close(learner.row_loss(outputs, y).mean(), topic + price / 2)
    with torch.no_grad():
        learner.log_variances.copy_(torch.tensor([1.0, -1.0]) / PACE)
    wanted = np.exp(-1) * topic + 0.5 + np.exp(1) * price / 2 - 0.5
    torch.testing.assert_close(learner.row_loss(outputs, y).mean(), wanted.float())


def test_a_loss_that_stays_large_loses_weight():
    learner = network()
    y = torch.from_numpy(scaled(Y, learner.goals))
    outputs = torch.zeros(4, 4)
    outputs[:, 3] = 10.0
    learner.row_loss(outputs, y).mean().backward()
    topic, price = learner.log_variances.grad
    assert price < topic
    assert price < 0


def test_early_stopping_goes_by_errors_that_no_balance_changes():
    learner = network()
    assert isinstance(learner, SelfJudged)
    outputs = torch.tensor([[5.0, 0, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 0], [0, 5.0, 0, 0]])
    y = torch.from_numpy(scaled(Y, learner.goals))
    before = learner.row_error(outputs, y).mean()
    torch.testing.assert_close(before, torch.tensor((1 / 3 + 1.0) / 2))
    with torch.no_grad():
        learner.log_variances.add_(1)
    assert learner.row_error(outputs, y).mean() == before


def test_classes_are_weighed_within_their_target():
    y = np.array([[0, 1], [0, 2], [0, 3], [1, 4]], np.float32)
    goals = goals_of(y, None, TASK, (Plan(class_weights="balanced"), Plan(loss="mse")))
    assert goals[0].weights[1] / goals[0].weights[0] == 3
    assert goals[1].weights is None


def test_a_target_that_no_row_has_is_survived():
    y = np.array([[0, np.nan], [1, np.nan]], np.float32)
    goals = goals_of(y, None, TASK, PLANS)
    assert goals[1] == Goal(PLANS[1], slice(3, 4), (0.0, 1.0), 0.5)
    loss = network(goals).row_loss(torch.zeros(2, 4), torch.from_numpy(scaled(y, goals)))
    assert torch.isfinite(loss).all()


class Even(nn.Linear):
    """A layer that stands as high as the head."""

    def height(self, _):
        return 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_it_trains_and_is_examined_on_the_gpu():
    goals = goals_of(Y, None, TASK, PLANS)
    lesson = Lesson(Arrays((np.eye(4, 2, dtype=np.float32),)), scaled(Y, goals))
    trained = train(lambda: Multitask(Even(2, 4), goals), lesson, lesson, TASK, Plan(epochs=2), seed=0, clock=Clock())
    assert np.isfinite(trained.valid_loss).all()
    assert next(trained.network.parameters()).device.type == "cpu"
