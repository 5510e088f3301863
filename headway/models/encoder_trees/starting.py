"""Where the trees start: a linear head on the vectors of rows written as texts.

The vectors enter through a head and not through splits. A vector's last digits depend on the texts that are computed
beside it; a head carries that on as it is, while a tree would now and then send a row the other way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import SOLVE, Head, Vectors
from headway.models.encoder_frozen.reading import Eyes
from headway.models.folding import inner_folds
from headway.models.targets import TargetScale, mean_loss
from headway.tasks import Task
from headway.tasks.recipe import Recipe

_FOLDS = 4
_SOLVERS = {"classify": "logistic", "regress": "ridge"}
# From the strongest on, as long as rows that were left out gain by it.
PENALTIES = {"classify": (1e-1, 1e-2, 1e-3, 1e-4, 1e-5), "regress": (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)}
_GAIN = 1e-3


@dataclass(frozen=True)
class Start:
    """A head on vectors `[n, feeds * hidden]`, whose outputs are as many as the trees have.

    Two classes make one column of log odds.
    """

    eyes: Eyes
    head: Head

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        return self.head.outputs(x)

    def read(self, rows: pl.DataFrame) -> np.ndarray:
        """Return the outputs of new rows."""
        return self.outputs(self.eyes.read(rows))

    def nodes(self, x: Var) -> Var:
        """Return the outputs as nodes, of float32 vectors."""
        weights, bias = (op.const(part.astype(np.float32)) for part in (self.head.weights, self.head.bias))
        return op.gemm(x, weights, bias)


@dataclass(frozen=True)
class Lesson:
    """Vectors to start from, what they are judged by, and the unscaled targets."""

    vectors: Vectors
    y: np.ndarray
    task: Task
    recipe: Recipe
    target: TargetScale | None
    seed: int


def start_from(lesson: Lesson, eyes: Eyes, *, penalty: float | None, clock: Clock) -> tuple[Start, np.ndarray, float]:
    """Return the head, what it says of its own training rows, and its penalty.

    What it says of a training row comes from the other folds, float64 `[n, outputs]`: trees that go on from answers the
    head knew by heart would learn to trust it too much. Without a `penalty` the one with the least loss there is taken.
    """
    penalties = PENALTIES[lesson.task.kind] if penalty is None else (penalty,)
    best, lowest, own = penalties[0], np.inf, np.zeros((0, 0))
    heads: list[Head | None] = [None] * _FOLDS
    for place, each in enumerate(penalties):
        if place and clock.expired:
            break
        outputs, heads = _out_of_fold(lesson, each, heads, clock)
        loss = mean_loss(answer(outputs, lesson.target), lesson.y, lesson.vectors.weight, lesson.task, lesson.recipe)
        if place and loss > lowest * (1 - _GAIN):
            break
        best, lowest, own = each, loss, outputs
    head = SOLVE[_SOLVERS[lesson.task.kind]](lesson.vectors, lesson.task, best, None, clock)
    return Start(eyes, _as_odds(head, lesson.task)), own, best


def _out_of_fold(
    lesson: Lesson, penalty: float, heads: list[Head | None], clock: Clock
) -> tuple[np.ndarray, list[Head | None]]:
    """Return the outputs of every row by a head that did not learn from it, and these heads."""
    outputs = np.zeros((len(lesson.y), 1 if lesson.task.width == 2 else max(1, lesson.task.width)))
    found: list[Head | None] = []
    for fold, head in zip(inner_folds(lesson.y, lesson.task, folds=_FOLDS, seed=lesson.seed), heads, strict=True):
        if not len(fold.train) or not len(fold.valid):
            found.append(None)
            continue
        part = lesson.vectors.take(fold.train)
        solved = SOLVE[_SOLVERS[lesson.task.kind]](part, lesson.task, penalty, head, clock)
        outputs[fold.valid] = _as_odds(solved, lesson.task).outputs(lesson.vectors.x[fold.valid])
        found.append(solved)
    return outputs, found


def _as_odds(head: Head, task: Task) -> Head:
    """Return a head with one column for two classes: the log odds of the second."""
    if task.kind == "regress" or task.width != 2:
        return head
    return replace(head, weights=head.weights[:, 1:] - head.weights[:, :1], bias=head.bias[1:] - head.bias[:1])
