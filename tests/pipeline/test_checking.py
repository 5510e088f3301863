from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Fold
from headway.models.family import Estimate, Examples
from headway.pipeline import checking
from headway.pipeline.checking import probe
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from headway.training.contest import Contest


@pytest.fixture
def contest():
    rows = pl.DataFrame({"a": np.arange(10.0)})
    folds = (Fold(np.arange(5), np.arange(5, 10)), Fold(np.arange(5, 10), np.arange(5)))
    examples = Examples(rows, (), np.arange(10) % 2)
    return Contest(examples, np.arange(10), folds, Classify(("x", "y")), "accuracy", seed=0)


@pytest.mark.parametrize(("budget", "seconds", "probes"), [(100.0, 1.5, 2), (600.0, 20.0, 1)])
def test_a_first_probe_that_counts_against_the_budget_is_taken_again(monkeypatch, contest, budget, seconds, probes):
    answers = iter([20.0, 1.5])
    seen = []

    def estimate(train, task, recipe, *, seed):
        seen.append(len(train))
        return Estimate(next(answers), 10.0)

    registry = SimpleNamespace(load_for=lambda _name, _task: SimpleNamespace(estimate=estimate))
    monkeypatch.setattr(checking, "discover", lambda: registry)
    entrant = SimpleNamespace(card=SimpleNamespace(name="slow_to_import", base=None), recipe=Recipe())
    assert probe(entrant, contest, budget).seconds == seconds
    assert seen == [5] * probes
