import math

import numpy as np
import pytest

from headway.evaluation.sequential import (
    FEWEST_UNITS,
    Finding,
    Sums,
    compare_means,
    compare_pairs,
    proportion_evidence,
    running_p,
    share_evidence,
)


def sums(values):
    return Sums(len(values), float(np.sum(values)), float(np.sum(np.square(values))))


def test_sums_are_mean_and_variance():
    values = np.random.default_rng(0).normal(3, 2, 500)
    found = sums(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(ddof=1))
    one_by_one = Sums()
    for value in values:
        one_by_one = one_by_one.add(float(value))
    assert one_by_one.total == pytest.approx(found.total)
    assert math.isnan(Sums().mean)


def test_the_interval_is_that_of_the_normal_mixture():
    """Waudby-Smith et al. 2024, equation (10): sigma sqrt(2 (t r^2 + 1) / (t^2 r^2) log(sqrt(t r^2 + 1) / alpha))."""
    t, scale = 1000, 0.2
    values = np.random.default_rng(0).normal(0.1, 1, t)
    found = compare_pairs(sums(values), t, alpha=0.05, effect=scale)
    sigma = values.std(ddof=1)
    rho = scale / sigma  # the mixture's scale in standard deviations
    product = t * rho**2
    half = sigma * math.sqrt(2 * (product + 1) / (t * product) * math.log(math.sqrt(product + 1) / 0.05))
    assert found.interval[1] - found.difference == pytest.approx(half)


def test_interval_and_p_value_agree():
    random = np.random.default_rng(1)
    for _ in range(50):
        a, b = random.normal(0, 1, 300), random.normal(0.25, 1, 300)
        found = compare_means(sums(a), sums(b), alpha=0.05)
        assert (found.p_value < 0.05) == (not found.interval[0] <= 0 <= found.interval[1])


def test_few_units_and_rare_answers_are_not_judged():
    few = sums(np.ones(FEWEST_UNITS - 1))
    assert compare_means(few, few, alpha=0.05).interval == (-math.inf, math.inf)
    right = sums(np.ones(500))
    wrong = sums(np.r_[np.zeros(3), np.ones(497)])
    assert compare_means(right, wrong, alpha=0.05, binary=True).p_value == 1.0
    assert compare_means(Sums(), right, alpha=0.05).p_value == 1.0


def test_null_experiments_looked_at_daily_keep_their_false_alarm_rate():
    random = np.random.default_rng(2)
    false = 0
    for _ in range(300):
        a, b = (np.cumsum(random.random(1000) < 0.8) for _ in range(2))
        looks = [
            compare_means(Sums(n, float(a[n - 1]), float(a[n - 1])), Sums(n, float(b[n - 1]), float(b[n - 1])),
                          alpha=0.05, binary=True)
            for n in range(50, 1001, 50)
        ]  # fmt: skip
        false += min(running_p(looks)) < 0.05
    assert false / 300 <= 0.05


def test_a_large_share_of_hits_is_evidence():
    assert proportion_evidence(0, 0, at_most=0.05) == pytest.approx(1.0)
    assert proportion_evidence(50, 1000, at_most=0.05) < 1
    assert proportion_evidence(90, 1000, at_most=0.05) > 100


def test_evidence_is_a_fair_bet_under_the_null():
    random = np.random.default_rng(3)
    ever = 0
    for _ in range(300):
        hits = np.cumsum(random.random(500) < 0.05)
        ever += any(proportion_evidence(int(hits[n - 1]), n, at_most=0.05) > 20 for n in range(20, 501, 20))
    assert ever / 300 <= 0.05


def test_unequal_shares_are_found():
    assert share_evidence([5000, 5050], [0.5, 0.5]) < 20
    assert share_evidence([5000, 5500], [0.5, 0.5]) > 1000
    assert share_evidence([9000, 1000], [0.9, 0.1]) < 20


def test_the_smallest_p_value_so_far_stays():
    findings = [Finding(0.0, (0.0, 0.0), p) for p in (0.5, 0.01, 0.2)]
    assert running_p(findings) == [0.5, 0.01, 0.01]
    assert running_p([]) == []
