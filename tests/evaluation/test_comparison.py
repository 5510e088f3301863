import numpy as np
import pytest
from scipy.stats import binom

from headway.errors import HeadwayError
from headway.evaluation.comparison import compare, mcnemar
from headway.tasks import Classify, Regress

TWO = Classify(("no", "yes"))


def answer(y: np.ndarray, accuracy: float, seed: int) -> np.ndarray:
    """Return probabilities that are right with the given chance."""
    right = np.random.default_rng(seed).random(len(y)) < accuracy
    p = np.where(right, 0.8, 0.3)
    return np.where(y[:, None] == [0, 1], p[:, None], 1 - p[:, None])


def test_a_real_difference_is_found_and_worded_in_both_languages():
    y = np.random.default_rng(0).integers(2, size=1000)
    found = compare(answer(y, 0.8, 1), answer(y, 0.9, 2), y, TWO, names=("old", "new"))
    assert found.better == "new"
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.interval[0] > 0
    assert found.p_value < 0.001
    assert found.difference == pytest.approx((found.only[1] - found.only[0]) / 1000)
    assert found.verdict.startswith("new is better than old")
    assert found.chinese_verdict("准确率").startswith("new 优于 old")
    assert "p < 0.001" in found.verdict
    assert "1,000 行上 准确率 0." in found.chinese_verdict("准确率")
    assert "McNemar 检验" in found.chinese_verdict("准确率")


def test_the_order_of_the_two_does_not_matter():
    y = np.random.default_rng(0).integers(2, size=300)
    a, b = answer(y, 0.8, 1), answer(y, 0.9, 2)
    there, back = compare(a, b, y, TWO), compare(b, a, y, TWO)
    assert there.p_value == back.p_value
    assert there.difference == -back.difference
    assert (there.better, back.better) == ("B", "A")


def test_null_differences_are_seldom_called_real():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=300)
    for metric in ("accuracy", "log_loss"):
        called = sum(
            compare(answer(y, 0.8, 2 * i), answer(y, 0.8, 2 * i + 1), y, TWO, metric=metric).better is not None
            for i in range(60)
        )
        # 5% of 60 are 3; nine or more would come up about once in 300 times.
        assert called < 9


def test_the_same_answers_do_not_differ():
    y = np.array([0, 1, 1, 0])
    p = answer(y, 0.8, 0)
    for metric in ("accuracy", "log_loss"):
        found = compare(p, p, y, TWO, metric=metric)
        assert (found.better, found.p_value, found.difference) == (None, 1, 0)
        assert found.verdict.startswith("No clear difference")
        assert "没有明显差别" in found.chinese_verdict("准确率")


def test_smaller_errors_are_better():
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    found = compare(y + rng.normal(size=500), y + 0.5 * rng.normal(size=500), y, Regress(), seed=1)
    assert found.metric == "rmse"
    assert found.better == "B"
    assert found.difference < 0
    assert found.only == (0, 0)


def test_mcnemar_is_the_exact_test_less_half_of_the_seen_case():
    exact = 2 * binom.cdf(5, 20, 0.5)
    assert mcnemar(15, 5) == pytest.approx(exact - binom.pmf(5, 20, 0.5))
    assert mcnemar(5, 15) == mcnemar(15, 5)
    assert mcnemar(0, 0) == mcnemar(7, 7) == 1


def test_a_threshold_of_each_is_respected():
    y = np.array([0, 1] * 50)
    p = np.where(y[:, None] == [0, 1], 0.55, 0.45)
    always = np.ones(100, dtype=int)
    found = compare(p, p, y, TWO, decided=(always, p.argmax(1)))
    assert found.values == (0.5, 1.0)
    assert found.only == (0, 50)


def test_answers_to_other_rows_do_not_compare():
    with pytest.raises(HeadwayError, match="2 and 3 answers to 3 rows"):
        compare(np.ones((2, 2)), np.ones((3, 2)), np.zeros(3, int), TWO)


def test_one_class_has_no_curve_to_compare():
    p = np.full((4, 2), 0.5)
    with pytest.raises(HeadwayError, match="roc_auc is undefined"):
        compare(p, p, np.zeros(4, int), TWO, metric="roc_auc")
