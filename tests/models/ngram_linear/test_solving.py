import numpy as np
import pytest
import scipy.sparse as sp

from headway.compute.clock import Clock
from headway.models.ngram_linear.solving import is_margin, solve
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

TASK = Classify(("a", "b", "c"))


def solved(y, recipe=None, task=TASK, strength=1.0):
    X = sp.csr_array(np.eye(4, dtype=np.float32)[np.arange(len(y)) % 4])
    return solve(X, y, np.ones(len(y)), task, recipe or Recipe(), strength=strength, seed=0, clock=Clock()), X


def test_margins_separate_the_labels():
    y = np.array([0, 1, 2, 2] * 5)
    linear, X = solved(y)
    assert (linear.scores(X).argmax(1) == y).all()


@pytest.mark.parametrize("present", [[0, 2], [1]])
def test_labels_without_rows_are_never_answered(present):
    y = np.resize(present, 20)
    linear, X = solved(y)
    assert set(linear.scores(X).argmax(1)) <= set(present)


def test_two_labels_work():
    y = np.array([0, 1, 0, 1] * 5)
    linear, X = solved(y, task=Classify((False, True)))
    assert (linear.scores(X).argmax(1) == y).all()


def test_heavy_rows_decide_where_labels_contradict():
    y = np.array([0, 1] * 10)
    X = sp.csr_array(np.ones((20, 1), np.float32))
    for heavy in (0, 1):
        rows = np.where(y == heavy, 1.5, 0.5)
        linear = solve(X, y, rows, TASK, Recipe(), strength=1.0, seed=0, clock=Clock())
        assert (linear.scores(X).argmax(1) == heavy).all()


def test_weight_decay_replaces_the_strength():
    y = np.array([0, 1, 2, 2] * 5)
    weak, _ = solved(y, Recipe(weight_decay=10.0))
    strong, _ = solved(y, Recipe(weight_decay=1e-4))
    assert np.abs(weak.weights).sum() < 0.2 * np.abs(strong.weights).sum()


def test_l1_leaves_fewer_weights():
    y = np.array([0, 1, 2, 2] * 5)
    sparse, _ = solved(y, Recipe(l1=0.2))
    assert np.count_nonzero(sparse.weights) < np.count_nonzero(solved(y)[0].weights)


def test_only_the_default_loss_makes_margins():
    assert is_margin(Recipe(), TASK)
    assert not is_margin(Recipe(loss="cross_entropy"), TASK)
    assert not is_margin(Recipe(), Regress())
