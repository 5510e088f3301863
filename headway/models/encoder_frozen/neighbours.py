"""The votes of rows that are known, by how near they are."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import spox.opset.ai.onnx.v21 as op
from scipy.special import softmax
from spox import Var

from headway.models.encoder_frozen.heads import Vectors
from headway.tasks import Task

# More rows than this do not vote by themselves: they would all have to be in the package.
MOST_VOTERS = 10_000
# Rows that middles are found among, for each middle; and rounds of looking for them.
_AMONG, _ROUNDS = 20, 10
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
    steps = np.maximum(np.abs(vectors.x).max(axis=1), 1e-12).astype(np.float32) / 127
    return Neighbours(np.rint(vectors.x / steps[:, None]).astype(np.int8), steps, votes, sharpness, of_labels)


def condensed(vectors: Vectors, most: int) -> Vectors:
    """Return about `most` rows in place of more: middles of each label's rows by k-means, which count as these do.

    Rows without weight have no say and are left out.
    """
    if len(vectors.y) <= most:
        return vectors
    vectors = vectors.take(np.flatnonzero(vectors.weight > 0))
    labels = np.unique(vectors.y)
    parts = [
        _middles(vectors.take(np.flatnonzero(vectors.y == label)), max(1, most // len(labels))) for label in labels
    ]
    return Vectors(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _middles(own: Vectors, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors, labels and weights of so many middles of rows that have one label."""
    if len(own.y) <= count:
        return own.x, own.y, own.weight
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    some = own.take(np.random.default_rng(0).permutation(len(own.y))[: _AMONG * count])
    search = KMeans(count, n_init=1, max_iter=_ROUNDS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than middles
        places = search.fit(some.x, sample_weight=some.weight).labels_
    found = np.unique(places)
    weight = np.bincount(places, weights=some.weight)[found] * (own.weight.sum() / some.weight.sum())
    return search.cluster_centers_[found].astype(np.float32), own.y[: len(found)], weight


@dataclass(frozen=True)
class Neighbours:
    """Every row known votes with the weight exp(`sharpness` x @ row) (Nadaraya 1964; Watson 1964).

    The rows are `codes` `[n, width]` times `steps` `[n]`: int8, since they are all in the package. `votes`: float32
    `[n, outputs]`, one label each or the value. Votes for labels end as logarithms of their share. A fixed number of
    neighbours would change its answer by leaps as the last one changes.
    """

    codes: np.ndarray
    steps: np.ndarray
    votes: np.ndarray
    sharpness: float
    of_labels: bool
    scale: float = 1.0

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        near = (x.astype(np.float32) @ self.codes.T.astype(np.float32)) * (self.steps * np.float32(self.sharpness))
        mean = softmax(near, axis=1) @ self.votes
        return np.asarray(self.scale * np.log(mean + _FLOOR) if self.of_labels else mean, np.float64)

    def scaled(self, scale: float) -> Neighbours:
        """Return it surer or less sure."""
        return replace(self, scale=self.scale * scale)

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""
        codes = op.cast(op.const(np.ascontiguousarray(self.codes.T)), to=np.float32)
        near = op.mul(op.matmul(x, codes), op.const(self.steps * np.float32(self.sharpness)))
        mean = op.matmul(op.softmax(near, axis=1), op.const(self.votes))
        if not self.of_labels:
            return mean
        return op.mul(op.log(op.add(mean, op.const(np.float32(_FLOOR)))), op.const(np.float32(self.scale)))
