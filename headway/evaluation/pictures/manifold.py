"""How much of what was drawn looks real, and how much of what is real is drawn.

Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", section 2: a set's
manifold is the union of the balls around its points that reach to their third nearest neighbour.
"""

from __future__ import annotations

import numpy as np

NEAREST = 3
# More points would cost much and change little.
MOST = 4_000
_BLOCK = 1_000


def precision_recall(real: np.ndarray, drawn: np.ndarray, *, seed: int, nearest: int = NEAREST) -> tuple[float, float]:
    """Return precision and recall (0 to 1) of features `[n, features]`, on as many pictures of both kinds.

    NaN where there are too few pictures for neighbours.
    """
    size = min(len(real), len(drawn), MOST)
    if size <= nearest:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    some, others = (values[random.choice(len(values), size, replace=False)] for values in (real, drawn))
    return covered(others, some, nearest), covered(some, others, nearest)


def covered(points: np.ndarray, by: np.ndarray, nearest: int = NEAREST) -> float:
    """Return the share of `points` that lie on the manifold of `by`."""
    reach = np.concatenate([np.partition(part, nearest, axis=1)[:, nearest] for part in _distances(by, by)])
    inside = [(part <= reach).any(axis=1) for part in _distances(points, by)]
    return float(np.concatenate(inside).mean())


def _distances(rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """Return squared distances, `[rows, columns]`, in blocks of rows."""
    other = columns.astype(np.float64)
    squares = np.square(other).sum(axis=1)
    blocks = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK].astype(np.float64)
        found = np.square(block).sum(axis=1)[:, None] + squares - 2 * block @ other.T
        blocks.append(np.clip(found, 0, None))
    return blocks
