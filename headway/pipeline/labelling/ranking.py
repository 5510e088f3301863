"""Which rows teach the most when somebody labels them: unclear ones that stand for many unclear ones.

Greedy facility location (Nemhauser et al. 1978; Wei et al. 2015 for active learning): each step takes the row that
covers the most of what is unclear and not covered yet, so that no two of the first rows are alike.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

# Rows that stand for all others, and rows among which is chosen, at most.
MOST_TARGETS, MOST_CHOICES = 2000, 10_000
# Everything counts a little, however sure its label seems.
FLOOR = 0.2
# From this likeness (cosine around the mean) on, a row says much about another.
ALIKE = 0.5


@dataclass(frozen=True)
class Ranking:
    """`order`: positions `[k]`, the most teaching first; `alike`: how many unlabelled rows are like each of them."""

    order: np.ndarray
    alike: np.ndarray


def rank(
    vectors: np.ndarray, shares: np.ndarray, *, top: int, labelled: np.ndarray | None = None, seed: int = 0
) -> Ranking:
    """Rank `top` of the rows by what labelling them teaches.

    `vectors`: float32 `[n, width]` of unit length; `shares`: `[n, labels]` probabilities; `labelled`: `[m, width]`.
    """
    generator = np.random.default_rng(seed)
    mean = vectors.mean(axis=0)
    x = _unit(vectors - mean)
    unclear = FLOOR + (1 - FLOOR) * uncertainty(shares)
    choices = np.sort(generator.permutation(len(x))[:MOST_CHOICES])
    targets = np.sort(generator.permutation(len(x))[:MOST_TARGETS])
    covered = np.zeros(len(targets), np.float32)
    if labelled is not None and len(labelled):
        covered = closeness(x[targets], _unit(labelled - mean)).max(axis=1)
    likeness = closeness(x[choices], x[targets])
    picked = _cover(likeness, unclear[targets].astype(np.float32), covered, min(top, len(choices)))
    # At most one of the rows of `likeness` is the row itself.
    alike = np.maximum((likeness[picked] >= ALIKE**2).sum(axis=1) * len(x) / len(targets) - 1, 0)
    return Ranking(choices[picked], np.rint(alike).astype(np.int64))


def uncertainty(shares: np.ndarray) -> np.ndarray:
    """Return 0 (sure) to 1 (the two likeliest labels are equally likely) for each row."""
    two = np.partition(shares, -2, axis=1)[:, -2:]
    return np.asarray(1 - (two[:, 1] - two[:, 0]))


def closeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return float32 `[len(a), len(b)]`, 0 to 1: the squared cosine, 0 where it is negative."""
    return np.asarray(np.maximum(a @ b.T, 0) ** 2, np.float32)


def _cover(likeness: np.ndarray, weight: np.ndarray, covered: np.ndarray, count: int) -> np.ndarray:
    """Return `count` rows of `likeness`, greedily; gains only shrink, so that stale ones bound them (lazy greedy)."""
    gains = np.maximum(likeness - covered, 0) @ weight
    heap = [(-float(gain), row) for row, gain in enumerate(gains)]
    heapq.heapify(heap)
    picked: list[int] = []
    while len(picked) < count:
        _, row = heapq.heappop(heap)
        gain = float(np.maximum(likeness[row] - covered, 0) @ weight)
        if heap and gain < -heap[0][0] - 1e-6:
            heapq.heappush(heap, (-gain, row))
            continue
        picked.append(row)
        covered = np.maximum(covered, likeness[row])
    return np.array(picked, dtype=np.int64)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
