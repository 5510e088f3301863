import numpy as np
import pytest
from scipy.stats import chi2_contingency

from headway.evaluation.drift import Reference, View, compare_counts, count_answers, count_inputs, count_mistakes
from headway.evaluation.drift.comparing import FEWEST_ROWS


def simple(counts):
    return Reference("classify", {}, (View("x", "value", counts, (), tuple("abcdefgh"[: len(counts)])),))


def test_the_p_value_is_that_of_the_permutation_test():
    before, now = np.array([300, 200, 100]), np.array([40, 45, 30])
    shift = compare_counts(simple(tuple(before)), {("x", "value"): now}, false_alarms=0.001).shifts[0]
    assert shift.p_value == pytest.approx(chi2_contingency([before, now]).pvalue, abs=0.015)
    assert shift.distance == pytest.approx(np.abs(before / 600 - now / 115).sum() / 2)


def test_equal_counts_are_no_drift():
    drift = compare_counts(simple((300, 200, 100)), {("x", "value"): np.array([30, 20, 10])})
    assert not drift.alarms
    assert drift.shifts[0].p_value > 0.5


def test_a_tiny_but_certain_change_is_no_alarm():
    drift = compare_counts(simple((500_000, 500_000)), {("x", "value"): np.array([510_000, 490_000])})
    assert drift.shifts[0].p_value < 0.01
    assert not drift.alarms


def test_small_windows_are_left_out():
    few = np.array([FEWEST_ROWS - 1, 0])
    assert compare_counts(simple((500, 500)), {("x", "value"): few}).shifts == ()


def test_false_alarms_stay_below_the_stated_rate():
    random = np.random.default_rng(0)
    shares = [0.4, 0.3, 0.2, 0.1]
    alarmed = 0
    for window in range(400):
        views = tuple(
            View("x" + str(n), "value", tuple(random.multinomial(400, shares).tolist()), (), tuple("abcd"))
            for n in range(6)
        )
        counts = {(view.column, "value"): random.multinomial(100, shares) for view in views}
        drift = compare_counts(Reference("classify", {}, views), counts, false_alarms=0.05, seed=window)
        alarmed += bool(drift.alarms)
    assert alarmed / 400 <= 0.075  # three standard errors above .05


def test_rows_like_those_of_training_do_not_alarm_and_others_do(reference, draw):
    make_rows, make_answers = draw
    random = np.random.default_rng(1)

    def look(rows, answers):
        predictions, confidence, truths = answers
        return compare_counts(
            reference,
            count_inputs(reference, rows)
            | count_answers(reference, predictions, confidence)
            | count_mistakes(reference, predictions, truths),
        )

    assert not look(make_rows(random, 300), make_answers(random, 300)).alarms
    from tests.evaluation.drift.conftest import OTHER

    drift = look(
        make_rows(random, 300, words=OTHER, mean=1.0, city=(0.1, 0.2, 0.7)),
        make_answers(random, 300, right=0.6, positive=0.3),
    )
    alarmed = {(shift.column, shift.aspect) for shift in drift.alarms}
    assert {("review", "group"), ("price", "range"), ("city", "value"), ("", "answer"), ("", "mistakes")} <= alarmed
    city = next(shift for shift in drift.alarms if shift.column == "city")
    assert city.now - city.before == pytest.approx(0.6, abs=0.1) or city.before - city.now == pytest.approx(
        0.5, abs=0.1
    )
