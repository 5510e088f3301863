"""Targets as models want them: columns of 0 and 1, or values on a scale of about -3 to 3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.tasks import Classify, Task
from headway.tasks.recipe import Recipe

# With more classes than this, target means of categories would be wider than they are useful.
_MOST_COLUMNS = 20


@dataclass(frozen=True)
class TargetScale:
    """z = (t - `mean`) / `deviation` with t = y, or log(1 + y) where `log`; answers are cut to `low` <= z <= `high`."""

    mean: float
    deviation: float
    log: bool
    low: float
    high: float

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Return float64 scaled values."""
        t = np.log1p(y.astype(np.float64)) if self.log else y.astype(np.float64)
        return np.asarray((t - self.mean) / self.deviation)

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return values in the target's unit."""
        t = np.clip(z, self.low, self.high) * self.deviation + self.mean
        return np.asarray(np.expm1(t) if self.log else t)

    def nodes(self, z: Var) -> Var:
        """Return the same as `inverse` as nodes, of float32 `[rows, 1]`."""
        bounded = op.clip(z, op.const(np.float32(self.low)), op.const(np.float32(self.high)))
        t = op.add(op.mul(bounded, op.const(np.float32(self.deviation))), op.const(np.float32(self.mean)))
        return op.sub(op.exp(t), op.const(np.float32(1))) if self.log else t


def fit_target_scale(y: np.ndarray, *, log: bool = False, robust: bool = False) -> TargetScale:
    """Learn the scale of `[n]` values, around their median where `robust`.

    Answers may leave the range of training by as much as its width.
    """
    t = np.log1p(y.astype(np.float64)) if log else y.astype(np.float64)
    mean, deviation = float(np.median(t) if robust else t.mean()), float(t.std())
    deviation = deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0
    low, high = (float(t.min()) - mean) / deviation, (float(t.max()) - mean) / deviation
    reach = (high - low) * (0.1 if log else 1.0)
    return TargetScale(mean, deviation, log, low - reach, high + reach)


def wants_log(y: np.ndarray) -> bool:
    """Tell whether values are never negative and so lopsided that their logarithm is worth a try."""
    if y.min() < 0 or y.std() == 0:
        return False
    z = (y - y.mean()) / y.std()
    return float((z**3).mean()) > 1.0


def as_columns(y: np.ndarray, task: Task) -> np.ndarray:
    """Return float64 `[n, t]` targets: one column per class, none where there are too many classes, or the values."""
    if isinstance(task, Classify):
        return np.eye(task.width)[y] if task.width <= _MOST_COLUMNS else np.zeros((len(y), 0))
    return y[:, None].astype(np.float64)


def mean_loss(answers: np.ndarray, y: np.ndarray, weight: np.ndarray, task: Task, recipe: Recipe) -> float:
    """Return the weighted mean loss of probabilities `[n, labels]` (log loss) or values `[n]` (mse, mae, huber)."""
    return float(np.average(row_losses(answers, y, task, recipe), weights=weight))


def row_losses(answers: np.ndarray, y: np.ndarray, task: Task, recipe: Recipe) -> np.ndarray:
    """Return the loss of each row, `[n]`: log loss, or mse, mae or huber in units of the deviation of `y`."""
    if isinstance(task, Classify):
        return np.asarray(-np.log(np.maximum(answers[np.arange(len(y)), y], 1e-7)))
    scale = max(float(np.std(y)), 1e-12)
    return _distance_loss(np.abs(answers - y) / scale, recipe)


def _distance_loss(distance: np.ndarray, recipe: Recipe) -> np.ndarray:
    if recipe.loss == "mae":
        return distance
    if recipe.loss == "huber":
        delta = recipe.huber_delta or 1.0
        return np.where(distance <= delta, 0.5 * distance**2, delta * (distance - 0.5 * delta))
    return distance**2
