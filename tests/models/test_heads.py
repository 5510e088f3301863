import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.models.family import Examples
from headway.models.heads import PENALTIES, Exam, fit_head, solved
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

GENERATOR = np.random.default_rng(0)
# One feature never varies, one is a thousand times larger than the others.
FEATURES = np.c_[GENERATOR.normal(size=(240, 6)), np.ones(240), GENERATOR.normal(5e3, 1e3, 240)].astype(np.float32)
SIGNAL = FEATURES[:, 0] + (FEATURES[:, 7] - 5e3) / 1e3


def examples(y):
    return Examples(pl.DataFrame({"x": np.zeros(len(y))}), (), y)


@pytest.mark.parametrize("edges", [[0.0], [-0.7, 0.7]])
def test_classes_are_learnt_with_the_penalty_that_validation_likes_best(edges):
    y = np.digitize(SIGNAL, edges).astype(np.int64)
    task = Classify(tuple(range(len(edges) + 1)))
    exam = Exam(FEATURES[160:], examples(y[160:]))
    arguments = (FEATURES[:160], examples(y[:160]))
    head = fit_head(*arguments, exam, task, Recipe(), penalty=None, seed=0, clock=Clock())
    assert (head.predict(FEATURES[160:]).argmax(1) == y[160:]).mean() > 0.9
    assert head.penalty < PENALTIES[0]
    others = [fit_head(*arguments, exam, task, Recipe(), penalty=p, seed=0, clock=Clock()).loss for p in PENALTIES]
    assert head.loss == pytest.approx(min(others))


def test_values_are_learnt_in_their_unit():
    y = (1e4 + 100 * SIGNAL).astype(np.float32)
    head = solved(FEATURES, examples(y), Regress(), Recipe(), penalty=1e-3, seed=0)
    assert np.abs(head.predict(FEATURES) - y).mean() < 10


def test_the_users_weight_decay_is_not_searched():
    y = (SIGNAL > 0).astype(np.int64)
    exam = Exam(FEATURES, examples(y))
    recipe = Recipe(weight_decay=0.5)
    head = fit_head(FEATURES, examples(y), exam, Classify((0, 1)), recipe, penalty=None, seed=0, clock=Clock())
    assert head.penalty == 0.5
