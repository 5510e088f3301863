import time

import numpy as np
import pytest

from headway.evaluation.bootstrap import draw_weights, intervals, percentile_interval, wilson_interval
from headway.evaluation.metrics import score
from headway.tasks import Classify, Regress

TWO = Classify(("no", "yes"))


def test_the_interval_of_a_mean_has_the_width_that_theory_gives():
    rng = np.random.default_rng(0)
    y = rng.normal(size=2000)
    values = y + rng.normal(size=2000)
    low, high = intervals(["mae"], y, values, Regress(), seed=0)["mae"]
    errors = np.abs(y - values)
    assert high - low == pytest.approx(2 * 1.96 * errors.std() / np.sqrt(2000), rel=0.1)
    assert low < errors.mean() < high


def test_each_resample_draws_as_many_rows_as_there_are():
    weights = np.concatenate(list(draw_weights(700, resamples=20_000 // 700, seed=1)), axis=1)
    assert (weights.sum(axis=0) == 700).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1, abs=0.05)


def test_the_same_seed_draws_the_same():
    first, second = (np.concatenate(list(draw_weights(50, resamples=10, seed=3)), axis=1) for _ in range(2))
    assert (first == second).all()
    assert (first != next(draw_weights(50, resamples=10, seed=4))).any()


def test_resamples_of_one_class_are_left_out():
    y = np.array([0, 0, 0, 0, 1])
    p = np.column_stack([[0.9, 0.8, 0.3, 0.7, 0.4], [0.1, 0.2, 0.7, 0.3, 0.6]])
    assert np.isnan(score("roc_auc", y, p, TWO, weights=np.array([[1.0]] * 4 + [[0.0]]))).all()
    low, high = intervals(["roc_auc"], y, p, TWO, seed=0)["roc_auc"]
    assert 0 <= low < high <= 1
    assert "roc_auc" not in intervals(["roc_auc"], y * 0, p, TWO, seed=0, positive=1)


def test_no_mistakes_is_not_certainty():
    y = np.array([0, 1] * 50)
    p = np.eye(2)[y]
    low, high = intervals(["accuracy"], y, p, TWO, seed=0)["accuracy"]
    assert high == 1
    assert low == pytest.approx(0.963, abs=1e-3)


def test_wilson_agrees_with_the_published_example():
    # Newcombe 1998, table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 0) == (0, 1)


def test_mostly_undefined_values_have_no_interval():
    assert percentile_interval(np.array([np.nan, np.nan, 1.0])) is None


def test_a_thousand_resamples_of_ten_thousand_rows_are_quick():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=10_000)
    p = rng.dirichlet([1, 1], size=10_000)
    start = time.process_time()
    intervals(["accuracy", "f1_macro", "roc_auc", "log_loss"], y, p, TWO, seed=0)
    # About 0.6 s of processor time; the bound leaves room for a busy machine.
    assert time.process_time() - start < 4


def test_few_values_get_the_normal_interval():
    values = np.random.default_rng(0).normal(5, 2, size=400)
    assert percentile_interval(values) == pytest.approx((5 - 1.96 * 2, 5 + 1.96 * 2), abs=0.4)


def test_very_many_rows_are_drawn_fewer_times():
    columns = sum(block.shape[1] for block in draw_weights(200_000, resamples=1000, seed=0))
    assert columns == 100
