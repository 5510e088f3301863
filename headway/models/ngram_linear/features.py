"""From texts to a sparse matrix of weighted n-grams, and the same as ONNX nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, Var, argument

from headway.modalities.text.characters import Texts
from headway.modalities.text.vocabulary import Vocabulary, open_hashes, open_nodes

# Added to each label's count of each n-gram, so that rare ones claim little.
_PRIOR = 0.5


@dataclass(frozen=True)
class Block:
    """The n-grams of one column and unit as features: presence times `worth`, each row scaled to length 1.

    Presence counts a repeated n-gram once; it scores above term frequency on reviews and on short questions.
    `worth`: float32 `[size]`, see `worth_of`.
    """

    vocabulary: Vocabulary
    worth: np.ndarray

    def weighted(self, presence: sp.csr_array) -> sp.csr_array:
        """Return presence times worth with rows of length 1 (or 0), float32."""
        squares = presence @ (self.worth**2)
        length = np.sqrt(np.maximum(squares, 1e-12))
        data = self.worth[presence.indices] / np.repeat(length, np.diff(presence.indptr))
        return sp.csr_array((data.astype(np.float32), presence.indices, presence.indptr), shape=presence.shape)

    def scores(self, codes: Var, weights: np.ndarray) -> Var:
        """Return the products of this block's features with `weights` (float32 `[size, width]`), `[rows, width]`."""
        ids = self.vocabulary.ids(codes)
        squares = op.gather(op.const(np.concatenate([[0], self.worth**2]).astype(np.float32)), ids)
        table = np.concatenate([np.zeros((1, weights.shape[1])), weights * self.worth[:, None]]).astype(np.float32)
        columns = op.const(np.array([1]))
        sums = op.reduce_sum(op.gather(op.const(table), ids), columns, keepdims=0)
        length = op.sqrt(op.max([op.reduce_sum(squares, columns, keepdims=1), op.const(np.float32(1e-12))]))
        return op.div(sums, length)


def presence_of(vocabulary: Vocabulary, texts: Texts) -> sp.csr_array:
    """Return which n-grams each row has, float32 ones `[rows, size]`; computed by the nodes that ship."""
    hashes = argument(Tensor(np.int64, ("rows", None)))
    hashed = open_hashes(vocabulary.unit, vocabulary.longest)
    known = open_nodes({"hashes": hashes}, vocabulary.known(hashes))
    counts = np.zeros(texts.rows, np.int64)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for positions, batch in texts.batches:
        ids = known(hashed(batch))
        counts[positions] = (ids > 0).sum(1)
        found.append((positions, ids[ids > 0] - 1))
    starts = np.concatenate([[0], np.cumsum(counts)])
    columns = np.empty(int(starts[-1]), np.int32)
    for positions, ids in found:
        columns[_places(starts, positions)] = ids
    shape = (texts.rows, len(vocabulary))
    return sp.csr_array((np.ones(len(columns), np.float32), columns, starts), shape=shape)


def worth_of(presence: sp.csr_array, y: np.ndarray | None, labels: int) -> np.ndarray:
    """Return how much each n-gram counts, float32 `[size]`: its smoothed idf, times how much it tells of the label.

    The second factor is the fourth root of the divergence KL(label given n-gram || label); it takes the place of the
    log-count ratio of Wang & Manning (2012), which is for two labels. `y` None (regression) leaves it out.
    """
    rows = presence.shape[0]
    frequency = np.bincount(presence.indices, minlength=presence.shape[1])
    idf = np.log((1 + rows) / (1 + frequency)) + 1
    if y is None:
        return idf.astype(np.float32)
    member = sp.csr_array((np.ones(rows, np.float32), (y, np.arange(rows))), shape=(labels, rows))
    counts = np.asarray((member @ presence).todense(), dtype=np.float32) + np.float32(_PRIOR)
    share = counts / counts.sum(0)
    base = (np.bincount(y, minlength=labels) + _PRIOR) / (rows + _PRIOR * labels)
    divergence = (share * np.log(share / base[:, None])).sum(0)
    return np.asarray(idf * np.maximum(divergence, 1e-4) ** 0.25, dtype=np.float32)


def _places(starts: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return where the entries of the rows at `positions` go, row after row."""
    counts = starts[positions + 1] - starts[positions]
    offsets = np.repeat(starts[positions] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return np.asarray(np.arange(int(counts.sum())) + offsets)
