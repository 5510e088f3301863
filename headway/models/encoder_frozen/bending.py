"""Heads that bend: a small network, and the votes of all rows by how near they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.compute.clock import Clock
from headway.models.descent import descend
from headway.models.encoder_frozen.choosing import SCALES, Choice, Exam, examined
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.neighbours import MOST_VOTERS, neighbours
from headway.models.targets import TargetScale
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# What is tried: penalties of the network, how sharply nearness counts.
TRIED: Mapping[str, tuple[float, ...]] = {"network": (1e-4, 1e-5), "neighbours": (20.0, 60.0)}
# A straight head is smaller and steadier: one that bends has to lower its loss by this share.
BETTER = 0.02
HIDDEN, ITERATIONS = 64, 80
_SPREAD = 3.0


class Bent(Protocol):
    """A head that ships: `outputs` of vectors float32 `[n, width]`, and the same as nodes."""

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""

    def scaled(self, scale: float) -> Bent:
        """Return a head whose answers are the same and surer (above 1) or less sure (below 1)."""

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""


@dataclass(frozen=True)
class Network:
    """`outputs = tanh(x @ first + shift) @ second + bias`, all float32."""

    first: np.ndarray
    shift: np.ndarray
    second: np.ndarray
    bias: np.ndarray

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        hidden = np.tanh(x.astype(np.float32) @ self.first + self.shift)
        return np.asarray(hidden @ self.second + self.bias, np.float64)

    def scaled(self, scale: float) -> Network:
        """Return it surer or less sure."""
        return replace(self, second=self.second * np.float32(scale), bias=self.bias * np.float32(scale))

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""
        hidden = op.tanh(op.gemm(x, op.const(self.first), op.const(self.shift)))
        return op.gemm(hidden, op.const(self.second), op.const(self.bias))


@dataclass(frozen=True)
class Bend:
    """A choice among the heads that bend."""

    name: str
    strength: float
    scale: float
    loss: float


def bend(
    exams: Sequence[Exam],
    straight: Choice,
    *,
    task: Task,
    recipe: Recipe,
    target: TargetScale | None,
    seed: int,
    clock: Clock,
) -> Bend | None:
    """Return the head that does clearly better than the straight one on rows not learnt from, None where none does."""
    best: Bend | None = None
    ceiling = straight.loss * (1 - BETTER)
    for name, strengths in TRIED.items():
        for strength in strengths:
            if clock.expired or (name == "neighbours" and len(exams[0].train.rows.y) > MOST_VOTERS):
                break
            heads = [fitted(name, strength, exam.train.rows, task, seed=seed, clock=clock) for exam in exams]
            for scale in SCALES if target is None else (1.0,):
                outputs = [head.scaled(scale).outputs(exam.valid.x) for exam, head in zip(exams, heads, strict=True)]
                loss = examined(exams, outputs, task=task, recipe=recipe, target=target)
                if loss < ceiling:
                    best, ceiling = Bend(name, strength, scale, loss), loss
    return best


def fitted(name: str, strength: float, vectors: Vectors, task: Task, *, seed: int, clock: Clock) -> Bent:
    """Return a head that bends, fitted to rows; `strength` is what `TRIED` names."""
    if name == "neighbours":
        return neighbours(vectors, task, strength)
    return _network(vectors, task, strength, seed, clock)


def _network(vectors: Vectors, task: Task, penalty: float, seed: int, clock: Clock) -> Network:
    """Minimise the mean loss + penalty / 2 |weights|^2 from random weights, by L-BFGS."""
    generator = np.random.default_rng(seed)
    x, width = vectors.x.astype(np.float32), vectors.x.shape[1]
    outputs = task.width if task.kind == "classify" else 1
    first = generator.normal(0, _SPREAD, (width, HIDDEN))
    # The vectors of a base lie on one side of the origin: units begin where their mean is.
    shift = -(x.mean(axis=0, dtype=np.float64) @ first)
    parts = (first, shift, np.zeros((HIDDEN, outputs)), np.zeros(outputs))
    shapes, ends = [part.shape for part in parts], np.cumsum([part.size for part in parts])[:-1]

    def apart(flat: np.ndarray) -> list[np.ndarray]:
        pieces = np.split(flat.astype(np.float32), ends)
        return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]

    loss = _objective(x, vectors, task, penalty, apart)
    began = np.concatenate([part.ravel() for part in parts])
    iterations = 1 if clock.expired else ITERATIONS
    return Network(*apart(descend(loss, began, iterations=iterations, flat=1e-6, steep=1e-5)))


def _objective(
    x: np.ndarray, vectors: Vectors, task: Task, penalty: float, apart: Callable[[np.ndarray], list[np.ndarray]]
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    share = (vectors.weight / vectors.weight.sum()).astype(np.float32)
    rows, columns = np.arange(len(x)), np.ascontiguousarray(x.T)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        first, shift, second, bias = apart(flat)
        hidden = np.tanh(x @ first + shift)
        found = hidden @ second + bias
        if task.kind == "classify":
            found -= found.max(axis=1, keepdims=True)
            right = found[rows, vectors.y].astype(np.float64)
            np.exp(found, out=found)
            totals = found.sum(axis=1)
            value = float(share @ (np.log(totals, dtype=np.float64) - right))
            slope = found * (share / totals)[:, None]
            slope[rows, vectors.y] -= share
        else:
            error = found[:, 0] - vectors.y.astype(np.float32)
            value, slope = float(share @ error.astype(np.float64) ** 2) / 2, (share * error)[:, None]
        inner = (slope @ second.T) * (1 - hidden**2)
        gradient = [
            columns @ inner + penalty * first,
            inner.sum(axis=0),
            hidden.T @ slope + penalty * second,
            slope.sum(axis=0),
        ]
        size = float((first.astype(np.float64) ** 2).sum() + (second.astype(np.float64) ** 2).sum())
        return value + penalty / 2 * size, np.concatenate([part.ravel() for part in gradient]).astype(np.float64)

    return loss
