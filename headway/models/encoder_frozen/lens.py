"""Where rows are few, vectors are looked at from their middle: what all texts share tells nothing of their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.models.pseudo import unit
from headway.tasks import Task

# Up to so many rows of a usual label, rows are few: the words of the labels may tell more than they do.
FEW = 64


@dataclass(frozen=True)
class Lens:
    """Vectors less the `centre` of the training texts, float32 `[width]`, at length 1."""

    centre: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Lens:
        """Return the lens of `[n, width]` training vectors."""
        return cls(x.mean(axis=0, dtype=np.float64).astype(np.float32))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return what is seen of texts."""
        return unit(x - self.centre)

    def words(self, words: np.ndarray) -> np.ndarray:
        """Return what is seen of the labels' words, which have a middle of their own."""
        return unit(words - words.mean(axis=0))

    def nodes(self, x: Var) -> Var:
        """Return the same as calling it, as nodes."""
        return op.lp_normalization(op.sub(x, op.const(self.centre)), axis=-1, p=2)


def is_few(y: np.ndarray, task: Task) -> bool:
    """Tell whether the usual label has no more than `FEW` rows."""
    if task.kind != "classify" or len(y) == 0:
        return False
    return float(np.median(np.unique(y, return_counts=True)[1])) <= FEW
