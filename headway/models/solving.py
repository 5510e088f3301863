"""Solve penalised linear models: mean loss + weight_decay / 2 * |w|^2 + l1 * |w|, the intercept free."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from headway.tasks.recipe import Loss

# Newton's method solves a system of (features * classes)^2; beyond this a quasi-Newton method is quicker.
_NEWTON_SIZE = 600
_NEWTON_STEPS, _SHORTEST = 50, 1e-4
# A step that lowers the mean loss by less ends the search.
_SETTLED = 1e-9
_REWEIGHTINGS = 30


@dataclass(frozen=True)
class Line:
    """Outputs are features @ `weights` + `bias`; `weights` float64 `[width, outputs]`, `bias` `[outputs]`."""

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        return np.asarray(features.astype(np.float64, copy=False) @ self.weights + self.bias)


def solve_logistic(
    features: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    *,
    classes: int,
    weight_decay: float,
    l1: float,
    seed: int,
    start: Line | None = None,
) -> Line:
    """Fit logits for `classes` classes (two make one column of log odds); classes without rows get a low bias.

    `start`: the line of a similar problem, from where the search may begin.
    """
    present = np.unique(y)
    if len(present) < 2:
        return _only(int(present[0]), features.shape[1], classes)
    if classes == 2 and l1 == 0 and features.shape[1] <= _NEWTON_SIZE:
        return _solve_odds(features, y, weight, max(weight_decay, 1e-8), start)
    return _solve_classes(features, y, weight, classes=classes, weight_decay=weight_decay, l1=l1, seed=seed)


def _solve_odds(
    features: np.ndarray, y: np.ndarray, weight: np.ndarray, weight_decay: float, start: Line | None
) -> Line:
    """Fit log odds by Newton's method (Hastie et al. 2009, section 4.4.1) with step halving.

    Cross-validation solves a hundred small problems: from the last one's line each takes a few steps, and checking the
    arguments in a library's front door would take longer than that.
    """
    X = np.concatenate([features, np.ones((len(features), 1))], axis=1, dtype=np.float64)
    total = float(weight.sum())
    penalty = np.full(X.shape[1], weight_decay * total)
    penalty[-1] = 1e-8 * total
    w = np.zeros(X.shape[1]) if start is None else np.concatenate([start.weights[:, 0], start.bias])

    def objective(w: np.ndarray) -> float:
        odds = X @ w
        return float(weight @ (np.logaddexp(0, odds) - y * odds) + penalty @ w**2 / 2)

    value = objective(w)
    for _ in range(_NEWTON_STEPS):
        share = 1 / (1 + np.exp(-np.clip(X @ w, -60, 60)))
        slope = X.T @ (weight * (share - y)) + penalty * w
        curvature = (X * (weight * np.maximum(share * (1 - share), 1e-9))[:, None]).T @ X
        curvature[np.diag_indices_from(curvature)] += penalty
        step, length = np.linalg.solve(curvature, slope), 1.0
        while (lower := objective(w - length * step)) > value and length > _SHORTEST:
            length /= 2
        if not lower < value:
            break
        w, gain, value = w - length * step, value - lower, lower
        if gain < _SETTLED * total:
            break
    return Line(w[:-1, None], w[-1:])


def _solve_classes(
    features: np.ndarray, y: np.ndarray, weight: np.ndarray, *, classes: int, weight_decay: float, l1: float, seed: int
) -> Line:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(y)
    outputs = 1 if classes == 2 else classes
    strength = max(weight_decay + l1, 1e-8) * float(weight.sum())
    model = LogisticRegression(
        C=1.0 / strength,
        l1_ratio=l1 / (weight_decay + l1) if l1 > 0 else 0.0,
        solver=_solver(features.shape[1], len(present), l1, weight_decay),
        max_iter=300,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # A few digits more do not change a decision; the comparison of strengths sees any real lack.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        model.fit(features, y, sample_weight=weight)
    weights, bias = np.zeros((features.shape[1], outputs)), np.full(outputs, -12.0)
    places = [0] if classes == 2 else (present if len(present) > 2 else [present[1]])
    weights[:, places], bias[places] = model.coef_.T, model.intercept_
    if classes > 2 and len(present) == 2:
        bias[present[0]] = 0.0
    return Line(weights, bias)


def solve_regression(
    features: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    *,
    loss: Loss,
    delta: float,
    weight_decay: float,
    l1: float,
) -> Line:
    """Fit one output; mae and huber by iteratively reweighted least squares (Huber & Ronchetti 2009, ch. 7.8)."""
    line = _solve_squares(features, y, weight, weight_decay, l1)
    if loss not in ("mae", "huber"):
        return line
    for _ in range(_REWEIGHTINGS):
        distance = np.abs(y - line(features)[:, 0])
        reach = delta if loss == "huber" else 1e-3
        robust = weight * np.minimum(1.0, reach / np.maximum(distance, 1e-12))
        # The penalty keeps its size against the plain mean loss.
        share = max(1e-12, float(weight.sum()) / float(robust.sum()))
        scale = share if loss == "huber" else share * reach
        updated = _solve_squares(features, y, robust, weight_decay * scale, l1 * scale)
        settled = np.abs(updated.weights - line.weights).max(initial=0.0) < 1e-5
        line = updated
        if settled:
            break
    return line


def _solver(width: int, classes: int, l1: float, weight_decay: float) -> str:
    if l1 > 0:
        return "liblinear" if classes == 2 and weight_decay == 0 else "saga"
    return "newton-cholesky" if width * (1 if classes == 2 else classes) <= _NEWTON_SIZE else "lbfgs"


def _only(present: int, width: int, classes: int) -> Line:
    """Return the answer where training saw one class only."""
    if classes == 2:
        return Line(np.zeros((width, 1)), np.array([12.0 if present == 1 else -12.0]))
    bias = np.full(classes, -12.0)
    bias[present] = 0.0
    return Line(np.zeros((width, classes)), bias)


def _solve_squares(features: np.ndarray, y: np.ndarray, weight: np.ndarray, weight_decay: float, l1: float) -> Line:
    X = features.astype(np.float64, copy=False)
    total = float(weight.sum())
    centre, level = weight @ X / total, float(weight @ y / total)
    X, target = X - centre, y - level
    if l1 > 0:
        w = _solve_elastic(X, target, weight, weight_decay, l1)
    else:
        gram = (X * (weight / total)[:, None]).T @ X
        gram[np.diag_indices_from(gram)] += max(weight_decay, 1e-8)
        w = np.linalg.solve(gram, X.T @ (target * weight) / total)
    return Line(w[:, None], np.array([level - float(centre @ w)]))


def _solve_elastic(X: np.ndarray, y: np.ndarray, weight: np.ndarray, weight_decay: float, l1: float) -> np.ndarray:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet

    alpha = weight_decay + l1
    model = ElasticNet(alpha=alpha, l1_ratio=l1 / alpha, fit_intercept=False, max_iter=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=weight)
    return np.asarray(model.coef_)
