"""Linear models under every smooth standard loss, by L-BFGS on sparse rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, minimize
from scipy.special import expit, log_softmax

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.tasks import Task
from headway.tasks.recipe import Loss as LossName
from headway.tasks.recipe import Recipe

# (scores [n, width], targets [n]) -> the loss of each row [n] and its slope [n, width].
Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
_ITERATIONS = 100


@dataclass(frozen=True)
class Linear:
    """`scores = X weights + bias`; float32 `[features, width]` and `[width]`."""

    weights: np.ndarray
    bias: np.ndarray

    def scores(self, X: sp.csr_array) -> np.ndarray:
        """Return float32 `[rows, width]`."""
        return np.asarray(X @ self.weights + self.bias, dtype=np.float32)


def minimise(
    X: sp.csr_array, y: np.ndarray, rows: np.ndarray, task: Task, recipe: Recipe, *, strength: float, clock: Clock
) -> Linear:
    """Minimise `strength * sum(rows * loss) + |W|^2 / 2`, plus L1; stops early when the clock runs out.

    L1 splits W into two non-negative halves, which makes its penalty smooth (Schmidt et al. 2007, section 2.2).
    """
    width, size = task.width, X.shape[1] * task.width
    loss = loss_of(task, recipe)
    l1 = (recipe.l1 or 0.0) * len(y) * strength
    centre, spread = (0.0, 1.0) if task.kind == "classify" else (float(y.mean()), float(y.std()) or 1.0)
    target = y if task.kind == "classify" else (y - centre) / spread
    transposed = X.T.tocsr()

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = _weights(flat, size, width, split=l1 > 0)
        value, slope = loss(X @ W + flat[-width:], target)
        slope = slope * (rows * strength)[:, None]
        gradient = (transposed @ slope + W).ravel()
        total = strength * float(rows @ value) + float((W**2).sum()) / 2 + l1 * float(flat[:-width].sum()) * (l1 > 0)
        parts = [gradient + l1, l1 - gradient] if l1 > 0 else [gradient]
        return total, np.concatenate([*parts, slope.sum(0)])

    start = np.zeros(size * (2 if l1 > 0 else 1) + width)
    least = np.concatenate([np.zeros(2 * size), np.full(width, -np.inf)])
    bounds = Bounds(least, np.full(len(least), np.inf)) if l1 > 0 else None
    best = _descended(objective, start, bounds, recipe.epochs or _ITERATIONS, clock)
    W = _weights(best, size, width, split=l1 > 0)
    return Linear((W * spread).astype(np.float32), (best[-width:] * spread + centre).astype(np.float32))


def loss_of(task: Task, recipe: Recipe) -> Loss:
    """Return the wanted loss; raises `TrainingError` where it does not fit the task."""
    smoothing = recipe.label_smoothing or 0.0
    gamma = 2.0 if recipe.focal_gamma is None else recipe.focal_gamma
    delta = 1.0 if recipe.huber_delta is None else recipe.huber_delta
    losses: dict[str, dict[LossName, Loss]] = {
        "classify": {
            "cross_entropy": lambda z, y: _cross_entropy(z, y, smoothing),
            "binary_cross_entropy": lambda z, y: _binary_cross_entropy(z, y, smoothing),
            "focal": lambda z, y: _focal(z, y, gamma),
        },
        "regress": {
            "mse": lambda z, y: (0.5 * (z[:, 0] - y) ** 2, z - y[:, None]),
            # Smoothed within a hundredth of the target's deviation: L-BFGS needs a slope everywhere.
            "mae": lambda z, y: _huber(z, y, 0.01),
            "huber": lambda z, y: _huber(z, y, delta),
        },
    }
    fitting = losses[task.kind]
    wanted = recipe.loss if recipe.loss is not None else next(iter(fitting))
    if wanted not in fitting:
        raise TrainingError(
            f"the loss {wanted} does not fit the task {task.kind}",
            expected=" | ".join(fitting),
            got=wanted,
            fix="change training.loss, or leave it out",
        )
    return fitting[wanted]


def _cross_entropy(z: np.ndarray, y: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    log_p = log_softmax(z, axis=1)
    wanted = _one_hot(y, z.shape[1]) * (1 - smoothing) + smoothing / z.shape[1]
    return -(wanted * log_p).sum(1), np.exp(log_p) - wanted


def _binary_cross_entropy(z: np.ndarray, y: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """One yes-or-no question per label; with two labels that is the one question which of them."""
    if z.shape[1] == 2:
        return _cross_entropy(z, y, smoothing)
    wanted = _one_hot(y, z.shape[1]) * (1 - smoothing) + smoothing / 2
    return (np.logaddexp(0, z) - wanted * z).sum(1), expit(z) - wanted


def _focal(z: np.ndarray, y: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Lin et al. 2017, eq. 4, over the softmax: -(1 - p)^gamma log p."""
    log_all = log_softmax(z, axis=1)
    log_p = log_all[np.arange(len(y)), y]
    p, rest = np.exp(log_p), np.maximum(-np.expm1(log_p), 1e-12)
    by_log_p = gamma * p * rest ** (gamma - 1) * log_p - rest**gamma
    return -(rest**gamma) * log_p, by_log_p[:, None] * (_one_hot(y, z.shape[1]) - np.exp(log_all))


def _huber(z: np.ndarray, y: np.ndarray, delta: float) -> tuple[np.ndarray, np.ndarray]:
    error = z[:, 0] - y
    inside = np.abs(error) <= delta
    value = np.where(inside, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))
    scale = delta if delta < 1 else 1.0
    return value / scale, (np.clip(error, -delta, delta) / scale)[:, None]


def _one_hot(y: np.ndarray, width: int) -> np.ndarray:
    return np.asarray(np.eye(width)[y])


def _weights(flat: np.ndarray, size: int, width: int, *, split: bool) -> np.ndarray:
    return np.asarray(flat[:size] - flat[size : 2 * size] if split else flat[:size]).reshape(-1, width)


def _descended(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    bounds: Bounds | None,
    iterations: int,
    clock: Clock,
) -> np.ndarray:
    """Return where L-BFGS-B got to."""
    latest = start

    def step(at: np.ndarray) -> None:
        nonlocal latest
        latest = at.copy()
        if clock.expired:
            raise StopIteration

    found = minimize(  # type: ignore[call-overload]
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, callback=step, options={"maxiter": iterations}
    )
    return latest if clock.expired else np.asarray(found.x)
