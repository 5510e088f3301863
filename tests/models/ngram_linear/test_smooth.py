import numpy as np
import pytest
import scipy.sparse as sp

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.ngram_linear.smooth import loss_of, minimise
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

TASK = Classify(("a", "b", "c"))
CASES = [
    *[(TASK, Recipe(loss=name)) for name in ("cross_entropy", "binary_cross_entropy", "focal")],
    (TASK, Recipe(loss="cross_entropy", label_smoothing=0.1)),
    (TASK, Recipe(loss="binary_cross_entropy", label_smoothing=0.1)),
    (TASK, Recipe(loss="focal", focal_gamma=0.5)),
    *[(Regress(), Recipe(loss=name)) for name in ("mse", "mae", "huber")],
    (Regress(), Recipe(loss="huber", huber_delta=0.3)),
]


def rows(task, n=60):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n, 4)).astype(np.float32)
    if task.kind == "regress":
        return sp.csr_array(X), (X @ [1, -2, 0, 0] + 5).astype(np.float32)
    return sp.csr_array(X), X[:, :3].argmax(1)


@pytest.mark.parametrize(("task", "recipe"), CASES)
def test_slopes_are_those_of_the_loss(task, recipe):
    loss = loss_of(task, recipe)
    generator = np.random.default_rng(1)
    z = generator.normal(size=(7, task.width))
    y = generator.integers(0, 3, 7) if task.kind == "classify" else generator.normal(size=7)
    _, slope = loss(z, y)
    for column in range(task.width):
        step = np.zeros_like(z)
        step[:, column] = 1e-6
        numeric = (loss(z + step, y)[0] - loss(z - step, y)[0]) / 2e-6
        np.testing.assert_allclose(slope[:, column], numeric, atol=1e-5)


@pytest.mark.parametrize(("task", "recipe"), CASES)
def test_every_loss_learns(task, recipe):
    X, y = rows(task)
    linear = minimise(X, y, np.ones(len(y)), task, recipe, strength=10.0, clock=Clock())
    scores = linear.scores(X)
    if task.kind == "classify":
        assert (scores.argmax(1) == y).mean() > 0.95
    else:
        assert np.abs(scores[:, 0] - y).mean() < 0.1


def test_l1_puts_weights_at_zero():
    X, y = rows(Regress())
    linear = minimise(X, y, np.ones(len(y)), Regress(), Recipe(loss="mse", l1=0.05), strength=10.0, clock=Clock())
    assert (np.abs(linear.weights[:2]) > 0.1).all()
    assert (np.abs(linear.weights[2:]) < 1e-4).all()


def test_an_expired_clock_stops_the_descent():
    X, y = rows(TASK)
    early = minimise(X, y, np.ones(len(y)), TASK, Recipe(), strength=10.0, clock=Clock.after(-1))
    late = minimise(X, y, np.ones(len(y)), TASK, Recipe(), strength=10.0, clock=Clock())
    assert np.abs(early.weights).sum() < np.abs(late.weights).sum()


def test_a_loss_of_the_other_task_is_refused():
    with pytest.raises(TrainingError, match="does not fit"):
        loss_of(TASK, Recipe(loss="mse"))
