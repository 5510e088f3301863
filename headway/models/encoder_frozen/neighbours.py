"""The votes of rows that are known, by how near they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import spox.opset.ai.onnx.v21 as op
from scipy.special import softmax
from spox import Var

from headway.models.encoder_frozen.heads import Vectors
from headway.tasks import Task

# Of a label that no neighbour has.
_FLOOR = 1e-4


def neighbours(vectors: Vectors, task: Task, sharpness: float) -> Neighbours:
    """Return the votes of rows for their own label or value."""
    of_labels = task.kind == "classify"
    if of_labels:
        votes = np.zeros((len(vectors.y), task.width), np.float32)
        votes[np.arange(len(votes)), vectors.y] = vectors.weight
    else:
        votes = vectors.y.astype(np.float32)[:, None]
    return Neighbours(vectors.x.astype(np.float32), votes, sharpness, of_labels)


@dataclass(frozen=True)
class Neighbours:
    """Every row known votes with the weight exp(`sharpness` x @ row) (Nadaraya 1964; Watson 1964).

    `rows`: float32 `[n, width]`; `votes`: float32 `[n, outputs]`, one label each or the value. Votes for labels end as
    logarithms of their share. A fixed number of neighbours would change its answer by leaps as the last one changes.
    """

    rows: np.ndarray
    votes: np.ndarray
    sharpness: float
    of_labels: bool
    scale: float = 1.0

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        weights = softmax(np.float32(self.sharpness) * (x.astype(np.float32) @ self.rows.T), axis=1)
        mean = weights @ self.votes
        return np.asarray(self.scale * np.log(mean + _FLOOR) if self.of_labels else mean, np.float64)

    def scaled(self, scale: float) -> Neighbours:
        """Return it surer or less sure."""
        return replace(self, scale=self.scale * scale)

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""
        near = op.matmul(x, op.const(np.ascontiguousarray(self.rows.T)))
        mean = op.matmul(op.softmax(op.mul(near, op.const(np.float32(self.sharpness))), axis=1), op.const(self.votes))
        if not self.of_labels:
            return mean
        return op.mul(op.log(op.add(mean, op.const(np.float32(_FLOOR)))), op.const(np.float32(self.scale)))
