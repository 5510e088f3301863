"""Make probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.formulas import row_losses

# Probabilities below this are taken for it before the logarithm, as the calibrated graph does.
SMALLEST = 1e-7
# Fewer rows than this say too little about a probability to change it.
FEWEST_ROWS = 50
FOLDS = 5
# L2 penalty on the per-class bias, in rows: a class needs about this many rows before its bias moves freely.
BIAS_PENALTY = 5.0


@dataclass(frozen=True)
class Temperature:
    """Probabilities become softmax(log(p) / `temperature` + `bias`).

    `temperature` 1 and no bias change nothing (`changes` is False then). `bias` has one value per label. `gain` is the
    log loss won per row, cross-validated over the rows it was fitted on.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] | None = None
    gain: float = 0.0

    @property
    def changes(self) -> bool:
        """Tell whether applying this changes anything."""
        return self.temperature != 1.0 or self.bias is not None

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities `[n, labels]`, of the same dtype; p is held above `SMALLEST` first."""
        if not self.changes:
            return probabilities
        logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / self.temperature
        if self.bias is not None:
            logits = logits + np.asarray(self.bias)
        return _softmax(logits).astype(probabilities.dtype)


def fit_temperature(probabilities: np.ndarray, y: np.ndarray, *, allow_bias: bool = True, seed: int = 0) -> Temperature:
    """Fit temperature scaling (Guo et al. 2017, section 4.2), with a bias per class where that earns it.

    `probabilities` `[n, labels]` and `y` int64 `[n]` come from rows that the model has not learnt from. Each step, from
    nothing to a temperature to a bias as well, is kept only if it lowers the cross-validated log loss by more than one
    standard error. A temperature never changes which label is the most probable one; a bias may.
    """
    if len(y) < FEWEST_ROWS:
        return Temperature()
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    fold = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    best, losses = Temperature(), row_losses(probabilities.astype(np.float64), y)
    start = losses
    for with_bias in (False, True) if allow_bias else (False,):
        held_out = _cross_validate(logits, y, fold, with_bias=with_bias)
        gain = losses - held_out
        if gain.mean() > gain.std(ddof=1) / np.sqrt(len(y)) and gain.mean() > 0:
            scale, bias = _fit(logits, y, with_bias=with_bias)
            kept = tuple(float(each) for each in bias) if with_bias else None
            best, losses = Temperature(1 / scale, kept, float((start - held_out).mean())), held_out
    return best


def conformal_width(residuals: np.ndarray, level: float) -> float:
    """Return the half width of an interval that holds a new value with probability `level`.

    Split conformal prediction (Lei et al. 2018, algorithm 2): the finite-sample quantile of the absolute `residuals`
    `[n]` of rows the model has not learnt from; infinite where there are too few of them for that level.
    """
    rank = int(np.ceil((len(residuals) + 1) * level))
    return float(np.sort(np.abs(residuals))[rank - 1]) if rank <= len(residuals) else float("inf")


def _cross_validate(logits: np.ndarray, y: np.ndarray, fold: np.ndarray, *, with_bias: bool) -> np.ndarray:
    """Return each row's log loss under a calibration fitted without its fold."""
    losses = np.empty(len(y))
    for part in range(FOLDS):
        held = fold == part
        scale, bias = _fit(logits[~held], y[~held], with_bias=with_bias)
        losses[held] = row_losses(_softmax(scale * logits[held] + bias), y[held])
    return losses


def _fit(logits: np.ndarray, y: np.ndarray, *, with_bias: bool) -> tuple[float, np.ndarray]:
    """Return the inverse temperature and the bias `[labels]` of least log loss; the problem is convex."""
    from scipy.optimize import minimize

    rows, labels = logits.shape
    true = logits[np.arange(rows), y]
    counts = np.bincount(y, minlength=labels)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = parameters[0], parameters[1:] if with_bias else np.zeros(labels)
        p, normaliser = _normalise(scale * logits + bias)
        value = (normaliser - scale * true - bias[y]).mean() + BIAS_PENALTY / rows * (bias @ bias) / 2
        slope = [((p * logits).sum(axis=1) - true).mean()]
        steps = (p.sum(axis=0) - counts) / rows + BIAS_PENALTY / rows * bias if with_bias else []
        return float(value), np.concatenate([slope, steps])

    # A temperature outside 1/20 to 20 means there is nothing to calibrate.
    bounds = [(0.05, 20.0)] + [(None, None)] * (labels if with_bias else 0)
    start = np.concatenate([[1.0], np.zeros(labels if with_bias else 0)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100})
    return float(found.x[0]), found.x[1:] if with_bias else np.zeros(labels)


def _softmax(logits: np.ndarray) -> np.ndarray:
    return _normalise(logits)[0]


def _normalise(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the softmax of each row and the logarithm of its normaliser."""
    top = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits - top)
    total = powers.sum(axis=1, keepdims=True)
    return powers / total, (np.log(total) + top)[:, 0]
