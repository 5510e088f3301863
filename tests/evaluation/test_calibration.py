import numpy as np
import pytest

from headway.evaluation.calibration import Temperature, conformal_width, fit_temperature
from headway.evaluation.metrics import quick_metric
from headway.tasks import Classify


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def draw(rows: int, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and targets drawn from exactly those probabilities."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(rows, labels))
    y = (softmax(logits).cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(0, labels - 1)
    return logits, y


def test_an_overconfident_model_gets_its_temperature_back():
    logits, y = draw(4000, 5, seed=0)
    p = softmax(3 * logits).astype(np.float32)
    fitted = fit_temperature(p, y)
    assert fitted.temperature == pytest.approx(3, rel=0.1)
    assert fitted.bias is None
    calibrated = fitted.apply(p)
    task = Classify(tuple("abcde"))
    assert calibrated.dtype == np.float32
    assert (calibrated.argmax(1) == p.argmax(1)).all()
    before, after = (quick_metric("log_loss", y, each, task) for each in (p, calibrated))
    assert before - after == pytest.approx(fitted.gain, abs=0.02)
    assert quick_metric("calibration_error", y, calibrated, task) < 0.03


def test_a_calibrated_model_is_left_alone():
    logits, y = draw(3000, 3, seed=1)
    p = softmax(logits)
    fitted = fit_temperature(p, y)
    assert fitted.temperature == pytest.approx(1, abs=0.1)
    assert fitted.bias is None
    assert fitted.gain < 0.002


def test_a_wrong_prior_gets_a_bias_and_only_where_it_is_allowed():
    logits, y = draw(4000, 3, seed=2)
    p = softmax(logits + np.array([0, 0, 1.5]))
    fitted = fit_temperature(p, y)
    assert fitted.bias is not None
    shift = np.array(fitted.bias) - fitted.bias[0]
    assert shift == pytest.approx([0, 0, -1.5], abs=0.2)
    assert fit_temperature(p, y, allow_bias=False).bias is None


def test_too_few_rows_change_nothing():
    logits, y = draw(30, 2, seed=3)
    assert not fit_temperature(softmax(5 * logits), y).changes


def test_certain_probabilities_and_missing_classes_stay_finite():
    rng = np.random.default_rng(0)
    p = np.eye(4)[rng.integers(2, size=200)]
    y = rng.integers(2, size=200)
    fitted = fit_temperature(p, y)
    calibrated = fitted.apply(p)
    assert np.isfinite(calibrated).all()
    assert calibrated.sum(axis=1) == pytest.approx(1)
    assert fitted.temperature > 5


def test_the_same_seed_gives_the_same_calibration():
    logits, y = draw(300, 3, seed=4)
    p = softmax(2 * logits)
    assert fit_temperature(p, y, seed=7) == fit_temperature(p, y, seed=7)
    assert Temperature().apply(p) is p


def test_a_conformal_interval_holds_what_it_promises():
    rng = np.random.default_rng(0)
    held = [np.mean(np.abs(rng.normal(size=500)) <= conformal_width(rng.normal(size=99), 0.9)) for _ in range(200)]
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)
    assert conformal_width(np.ones(5), 0.9) == np.inf
