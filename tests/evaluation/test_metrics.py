import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from headway.errors import HeadwayError
from headway.evaluation.metrics import (
    default_metric,
    greater_is_better,
    metric_names,
    positive_class,
    quick_metric,
    score,
)
from headway.tasks import Classify, Regress

TWO = Classify(("ham", "spam"))
FOUR = Classify(("a", "b", "c", "d"))


def draw(rows: int, labels: int, seed: int, digits: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and probabilities that know something; rounding makes ties."""
    rng = np.random.default_rng(seed)
    y = rng.integers(labels, size=rows)
    logits = rng.normal(size=(rows, labels)) + np.eye(labels)[y]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if digits is not None:
        p = np.round(p, digits) + 10.0**-digits
        p /= p.sum(axis=1, keepdims=True)
    return y, p


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(8, 60), digits=st.sampled_from([None, 1]))
def test_two_class_figures_agree_with_scikit_learn_weights_and_ties_included(seed, rows, digits):
    y, p = draw(rows, 2, seed, digits)
    y[:2] = 0, 1
    weights = np.random.default_rng(seed).integers(0, 4, size=(rows, 3)).astype(float)
    weights[:2] = 1
    expected = {
        "accuracy": lambda w: reference.accuracy_score(y, p.argmax(1), sample_weight=w),
        "balanced_accuracy": lambda w: reference.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
        "f1_weighted": lambda w: reference.f1_score(
            y, p.argmax(1), average="weighted", sample_weight=w, zero_division=0
        ),
        "roc_auc": lambda w: reference.roc_auc_score(y, p[:, 1], sample_weight=w),
        "average_precision": lambda w: reference.average_precision_score(y, p[:, 1], sample_weight=w),
        "log_loss": lambda w: reference.log_loss(y, p, sample_weight=w),
        "brier": lambda w: reference.brier_score_loss(y, p[:, 1], sample_weight=w),
    }
    for name, formula in expected.items():
        got = score(name, y, p, TWO, weights=weights, positive=1)
        assert got == pytest.approx([formula(weights[:, i]) for i in range(3)], abs=1e-9), name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(12, 60))
def test_many_class_figures_agree_with_scikit_learn(seed, rows):
    y, p = draw(rows, 4, seed, digits=1)
    y[:4] = range(4)
    d = p.argmax(1)
    expected = {
        "roc_auc": reference.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "average_precision": reference.average_precision_score(np.eye(4)[y], p, average="macro"),
        "log_loss": reference.log_loss(y, p),
        "brier": reference.brier_score_loss(y, p),
        "balanced_accuracy": reference.balanced_accuracy_score(y, d),
    }
    for average in ("macro", "weighted"):
        figures = reference.precision_recall_fscore_support(y, d, average=average, zero_division=0)
        expected |= dict(zip((f"precision_{average}", f"recall_{average}", f"f1_{average}"), figures, strict=False))
    for name, value in expected.items():
        assert quick_metric(name, y, p, FOUR) == pytest.approx(value, abs=1e-9), name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(3, 50), offset=st.sampled_from([0.0, 1e6]))
def test_regression_figures_agree_with_scikit_learn(seed, rows, offset):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=rows) + offset
    values = y + rng.normal(size=rows)
    weights = rng.integers(1, 4, size=rows).astype(float)
    expected = {
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
        "r2": reference.r2_score,
    }
    for name, formula in expected.items():
        got = score(name, y, values, Regress(), weights=weights[:, None])[0]
        assert got == pytest.approx(formula(y, values, sample_weight=weights), rel=1e-6), name
    median = quick_metric("median_absolute_error", y, values, Regress())
    assert median == pytest.approx(reference.median_absolute_error(y, values))


def test_a_class_that_neither_occurs_nor_is_answered_does_not_count():
    y = np.array([0, 0, 1, 1])
    p = np.array([[0.9, 0.1, 0, 0], [0.2, 0.8, 0, 0], [0.2, 0.8, 0, 0], [0.3, 0.7, 0, 0]])
    assert quick_metric("f1_macro", y, p, FOUR) == pytest.approx(reference.f1_score(y, p.argmax(1), average="macro"))
    areas = [reference.roc_auc_score(y == label, p[:, label]) for label in (0, 1)]
    assert quick_metric("roc_auc", y, p, FOUR) == pytest.approx(np.mean(areas))


def test_one_class_makes_the_area_that_of_guessing_and_constant_answers_too():
    p = np.array([[0.3, 0.7], [0.6, 0.4]])
    assert np.isnan(score("roc_auc", np.array([1, 1]), p, TWO)[0])
    assert quick_metric("roc_auc", np.array([1, 1]), p, TWO) == 0.5
    assert quick_metric("roc_auc", np.array([0, 1]), np.full((2, 2), 0.5), TWO) == 0.5


def test_a_constant_target_has_the_r2_of_scikit_learn():
    y = np.full(5, 3.0)
    assert quick_metric("r2", y, y, Regress()) == 1.0
    assert quick_metric("r2", y, y + 1, Regress()) == 0.0


def test_answers_that_are_not_finite_are_the_worst():
    p = np.array([[np.nan, np.nan], [0.5, 0.5]])
    assert quick_metric("accuracy", np.array([0, 1]), p, TWO) == -np.inf
    assert quick_metric("log_loss", np.array([0, 1]), p, TWO) == np.inf


def test_a_certain_and_wrong_answer_has_a_finite_log_loss():
    p = np.array([[1.0, 0.0]], dtype=np.float32)
    expected = reference.log_loss([1], p, labels=[0, 1])
    assert quick_metric("log_loss", np.array([1]), p, TWO) == pytest.approx(expected, rel=1e-6)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    p = np.tile([0.2, 0.8], (10, 1))
    y = np.array([1] * 5 + [0] * 5)
    assert quick_metric("calibration_error", y, p, TWO) == pytest.approx(0.3)


def test_two_dimensional_values_are_read_as_one_column():
    y = np.arange(4.0)
    assert quick_metric("mae", y, y[:, None] + 2, Regress()) == 2


def test_which_way_is_better():
    for task in (TWO, Regress()):
        for name in metric_names(task):
            smaller = name in {"log_loss", "brier", "calibration_error", "rmse", "mae", "median_absolute_error"}
            assert greater_is_better(name) is not smaller


def test_the_default_metric_does_not_reward_the_commonest_answer():
    assert default_metric(TWO, np.array([0, 1, 1])) == "accuracy"
    assert default_metric(TWO, np.array([0] * 9 + [1])) == "average_precision"
    assert default_metric(FOUR, np.array([0, 1, 2, 3])) == "accuracy"
    assert default_metric(FOUR, np.array([0] * 90 + [1, 2, 3])) == "f1_macro"
    assert default_metric(Regress(), np.array([1.0])) == "rmse"


def test_the_positive_class_is_the_rarer_one():
    assert positive_class(np.array([0, 1, 1, 1]), TWO) == 0
    assert positive_class(np.array([0, 0, 0, 1]), TWO) == 1
    assert positive_class(np.array([0, 1]), TWO) == 1


def test_an_unknown_metric_is_named_with_the_known_ones():
    with pytest.raises(HeadwayError, match=r"no such metric[\s\S]*accuracy, [\s\S]*got: rmse"):
        quick_metric("rmse", np.array([0]), np.array([[0.5, 0.5]]), TWO)
