"""Whether what was drawn is a copy of what was learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = 256


@dataclass(frozen=True)
class Nearest:
    """The nearest training picture of each picture: its position `[n]` and its distance `[n]` in features."""

    positions: np.ndarray
    distances: np.ndarray


def find_nearest(features: np.ndarray, training: np.ndarray) -> Nearest:
    """Return the nearest of `training` `[m, features]` to each of `features` `[n, features]`."""
    known = training.astype(np.float64)
    squares = np.square(known).sum(axis=1)
    positions, distances = np.empty(len(features), np.int64), np.empty(len(features))
    for start in range(0, len(features), _BLOCK):
        block = features[start : start + _BLOCK].astype(np.float64)
        found = np.square(block).sum(axis=1)[:, None] + squares - 2 * block @ known.T
        best = found.argmin(axis=1)
        positions[start : start + _BLOCK] = best
        distances[start : start + _BLOCK] = np.sqrt(np.clip(found[np.arange(len(block)), best], 0, None))
    return Nearest(positions, distances)


def copied_share(drawn: Nearest, fresh: Nearest) -> float:
    """Return the share of drawn pictures that are nearer to a training picture than all but 1% of fresh real ones.

    `fresh`: real pictures that were not learnt from. A generator that copies nothing has about 1% here.
    """
    limit = float(np.quantile(fresh.distances, 0.01))
    return float((drawn.distances < limit).mean() if limit > 0 else (drawn.distances <= 1e-6).mean())
