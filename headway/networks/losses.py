"""Losses by their standard names, one value per row, and what logits mean under each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headway.networks.plan import Plan
from headway.tasks import Task

# (outputs [b, width], targets [b]) -> [b]
RowLoss = Callable[[Tensor, Tensor], Tensor]


@runtime_checkable
class SelfTaught(Protocol):
    """A network that learns by a loss of its own."""

    def row_loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each row, `[b]`, of outputs `[b, ...]` and targets as `RowLoss` has them."""


@runtime_checkable
class SelfJudged(SelfTaught, Protocol):
    """A network that also has a measure of its own for how wrong answers are; early stopping goes by it."""

    def row_error(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return how wrong each row is, `[b]`."""


def row_loss(plan: Plan, *, smoothing: float = 0.0) -> RowLoss:
    """Return the loss of each row; targets are int64 indices, or standardised float32 values for regression."""
    losses: dict[str, RowLoss] = {
        "cross_entropy": lambda z, y: functional.cross_entropy(z, y, reduction="none", label_smoothing=smoothing),
        "binary_cross_entropy": lambda z, y: _binary_cross_entropy(z, y, smoothing),
        "focal": lambda z, y: _focal(z, y, plan.focal_gamma),
        "mse": lambda z, y: functional.mse_loss(z.squeeze(1), y, reduction="none"),
        "mae": lambda z, y: functional.l1_loss(z.squeeze(1), y, reduction="none"),
        "huber": lambda z, y: functional.huber_loss(z.squeeze(1), y, reduction="none", delta=plan.huber_delta),
    }
    return losses[plan.loss]


def apart(first: Tensor, second: Tensor) -> Tensor:
    """Return how differently two draws of dropout answer each row, `[b]`: the mean of both Kullback-Leibler distances.

    `first`, `second`: logits `[b, labels]`. Wu et al. 2021, "R-Drop", eq. 2.
    """
    p, q = functional.log_softmax(first, dim=1), functional.log_softmax(second, dim=1)
    return ((p.exp() - q.exp()) * (p - q)).sum(1) / 2


def targets_of(y: np.ndarray, task: Task, scale: tuple[float, float]) -> np.ndarray:
    """Return targets as losses want them: int64 indices, or float32 values with mean 0 and deviation 1 by `scale`."""
    if task.kind == "classify":
        return y.astype(np.int64)
    return ((y - scale[0]) / scale[1]).astype(np.float32)


def _binary_cross_entropy(z: Tensor, y: Tensor, smoothing: float) -> Tensor:
    """One yes-or-no question per label; with two labels that is the one question which of them."""
    if z.shape[1] == 2:
        return functional.cross_entropy(z, y, reduction="none", label_smoothing=smoothing)
    wanted = functional.one_hot(y, z.shape[1]).to(z.dtype) * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(z, wanted, reduction="none").sum(1)


def _focal(z: Tensor, y: Tensor, gamma: float) -> Tensor:
    """Lin et al. 2017, eq. 4, over the softmax: -(1 - p)^gamma log p."""
    log_p = functional.log_softmax(z, dim=1).gather(1, y[:, None]).squeeze(1)
    return -((1 - log_p.exp()) ** gamma) * log_p


def one_against_rest(plan: Plan, width: int) -> bool:
    """Tell whether probabilities are sigmoids divided by their sum instead of a softmax."""
    return plan.loss == "binary_cross_entropy" and width > 2


def probabilities(z: Tensor, plan: Plan) -> Tensor:
    """Turn logits `[b, labels]` into probabilities that sum to 1; `nodes.answer` does the same in ONNX."""
    if one_against_rest(plan, z.shape[1]):
        yes = torch.sigmoid(z)
        return yes / yes.sum(1, keepdim=True)
    return torch.softmax(z, dim=1)


def row_weights(y: np.ndarray, weight: np.ndarray | None, task: Task, plan: Plan) -> np.ndarray:
    """Return the weight of each row, float32 `[n]` with mean 1: its own times that of its class."""
    rows = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    if task.kind == "classify" and plan.class_weights is not None:
        rows = rows * _class_weights(y, rows, task.labels, plan)[y]
    return np.asarray(rows / max(float(rows.mean()), 1e-12), dtype=np.float32)


def _class_weights(y: np.ndarray, rows: np.ndarray, labels: tuple[object, ...], plan: Plan) -> np.ndarray:
    """Return a weight per label; "balanced" gives every label the same total."""
    if plan.class_weights == "balanced":
        totals = np.bincount(y, weights=rows, minlength=len(labels))
        return np.asarray(rows.sum() / (len(labels) * np.maximum(totals, 1e-12)))
    wanted = plan.class_weights or {}
    return np.array([wanted.get(str(label), 1.0) for label in labels])
