"""Light heads on vectors: each is a matrix and a bias in the end, so that one graph serves them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v21 as op
from scipy.linalg import solve
from spox import Var

from headway.compute.clock import Clock
from headway.models.descent import descend
from headway.tasks import Task

# Logits of a label that no training row has.
ABSENT = -20.0
ITERATIONS = 60


@dataclass(frozen=True)
class Vectors:
    """What a head learns from: float32 `x` `[n, width]`, `y` `[n]` (int64 classes or scaled float64), weights `[n]`."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def take(self, positions: np.ndarray) -> Vectors:
        """Return the rows at `positions`."""
        return Vectors(self.x[positions], self.y[positions], self.weight[positions])

    def joined(self, other: Vectors) -> Vectors:
        """Return these rows and then the other ones."""
        pairs = ((self.x, other.x), (self.y, other.y), (self.weight, other.weight))
        return Vectors(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class Head:
    """`outputs = x @ weights + bias`: float64 `[width, outputs]`, `[outputs]`."""

    weights: np.ndarray
    bias: np.ndarray

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        return np.asarray(x.astype(np.float64) @ self.weights + self.bias)

    def scaled(self, scale: float) -> Head:
        """Return a head whose answers are the same and surer (above 1) or less sure (below 1)."""
        return Head(self.weights * scale, self.bias * scale)

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""
        return op.gemm(x, op.const(self.weights.astype(np.float32)), op.const(self.bias.astype(np.float32)))


# (vectors, task, penalty per row, where to start, clock) -> head
Solve = Callable[[Vectors, Task, float, "Head | None", Clock], Head]


def logistic(vectors: Vectors, task: Task, penalty: float, start: Head | None, clock: Clock) -> Head:
    """Minimise the mean log loss + penalty / 2 |W|^2 over the labels that occur, by L-BFGS from `start`."""
    present = np.unique(vectors.y)
    x, y = vectors.x.astype(np.float32), np.searchsorted(present, vectors.y)
    share = (vectors.weight / vectors.weight.sum()).astype(np.float32)
    width, labels = x.shape[1], len(present)
    rows = np.arange(len(x))

    columns = np.ascontiguousarray(x.T)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(width + 1, labels)
        small = weights.astype(np.float32)
        shares = x @ small[:-1]
        shares += small[-1]
        shares -= shares.max(axis=1, keepdims=True)
        right = shares[rows, y].astype(np.float64)
        np.exp(shares, out=shares)
        totals = shares.sum(axis=1)
        value = float(share @ (np.log(totals, dtype=np.float64) - right)) + penalty / 2 * float(
            (weights[:-1] ** 2).sum()
        )
        shares *= (share / totals)[:, None]
        shares[rows, y] -= share
        gradient = np.empty_like(weights)
        np.multiply(weights[:-1], penalty, out=gradient[:-1])
        gradient[:-1] += columns @ shares
        gradient[-1] = shares.sum(axis=0)
        return value, gradient.ravel()

    began = np.zeros((width + 1, labels))
    if start is not None:
        began = np.vstack([start.weights[:, present], start.bias[present]])
    iterations = 1 if clock.expired else ITERATIONS
    found = descend(loss, began.ravel(), iterations=iterations, flat=1e-7, steep=1e-5).reshape(width + 1, labels)
    return _spread(found[:-1], found[-1], present, task)


def prototypes(vectors: Vectors, task: Task, penalty: float, start: Head | None, clock: Clock) -> Head:  # noqa: ARG001
    """Compare with the mean of each class: logits are -|x - mean|^2 / (2 penalty), less what all share."""
    present = np.unique(vectors.y)
    totals = np.array([vectors.weight[vectors.y == label].sum() for label in present])
    means = np.stack(
        [vectors.weight[vectors.y == label] @ vectors.x[vectors.y == label].astype(np.float64) for label in present]
    )
    means /= totals[:, None]
    return _spread(means.T / penalty, -(means**2).sum(1) / (2 * penalty), present, task)


def ridge(vectors: Vectors, task: Task, penalty: float, start: Head | None, clock: Clock) -> Head:  # noqa: ARG001
    """Minimise the mean squared error + penalty |w|^2."""
    share = vectors.weight / vectors.weight.sum()
    x = vectors.x.astype(np.float64)
    centre, level = share @ x, float(share @ vectors.y)
    x = x - centre
    gram = (x * share[:, None]).T @ x
    gram[np.diag_indices_from(gram)] += penalty
    weights = solve(gram, x.T @ (share * (vectors.y - level)), assume_a="pos")
    return Head(weights[:, None], np.array([level - float(centre @ weights)]))


def _spread(weights: np.ndarray, bias: np.ndarray, present: np.ndarray, task: Task) -> Head:
    """Return a head over all labels from one over those that occur."""
    whole = Head(np.zeros((len(weights), task.width)), np.full(task.width, ABSENT))
    whole.weights[:, present], whole.bias[present] = weights, bias
    return whole


# By kind of task: each head with the penalties that are tried, from the strongest.
PENALTIES: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "classify": {
        "prototypes": (1.0, 0.3, 0.1),
        "logistic": (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6),
    },
    "regress": {"ridge": (1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4)},
}
# The same for classification where rows are few; the scale of prototypes is found apart.
FEW_PENALTIES: Mapping[str, tuple[float, ...]] = {
    "prototypes": (1.0,),
    "logistic": (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5),
}
SOLVE: Mapping[str, Solve] = {"logistic": logistic, "prototypes": prototypes, "ridge": ridge}
DEFAULT: Mapping[str, tuple[str, float]] = {"classify": ("logistic", 1e-4), "regress": ("ridge", 0.03)}
