"""L-BFGS without bounds on numpy arrays: for some ten thousand unknowns its own work is small beside the loss's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Pairs of steps and changes of slope that are remembered.
_MEMORY = 10
# A step has to gain this share of what the slope promises, and to leave less than this share of the slope.
_GAIN, _SLOPE = 1e-4, 0.9
_TRIES = 20

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


def descend(objective: Objective, start: np.ndarray, *, iterations: int, flat: float, steep: float) -> np.ndarray:
    """Return where a smooth function is least, from `start`, float64 `[n]` (Nocedal & Wright 2006, algorithm 7.5).

    `objective` returns the value and the gradient `[n]`. It ends after so many `iterations`, when a step gains less
    than `flat` of the value (scipy's ftol), or when no slope is above `steep` (gtol). With a few ten thousand unknowns
    it is several times faster than `scipy.optimize.minimize`, whose bookkeeping then outweighs the loss.
    """
    here = _Place.of(objective, np.array(start, np.float64))
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=_MEMORY)
    for number in range(iterations):
        if np.abs(here.slope).max() <= steep:
            break
        way = -_curved(pairs, here.slope)
        first = 1.0 if number else min(1.0, 1.0 / float(np.linalg.norm(here.slope)))
        there = _searched(objective, here, way, first)
        if there is None:
            break
        moved, bent = there.at - here.at, there.slope - here.slope
        curvature = float(moved @ bent)
        if curvature > 0:
            pairs.append((moved, bent, 1.0 / curvature))
        gained, here = here.value - there.value, there
        if gained <= flat * max(abs(here.value + gained), abs(here.value), 1.0):
            break
    return here.at


@dataclass(frozen=True)
class _Place:
    """A point with its value and its gradient."""

    at: np.ndarray
    value: float
    slope: np.ndarray

    @classmethod
    def of(cls, objective: Objective, at: np.ndarray) -> _Place:
        return cls(at, *objective(at))


def _curved(pairs: deque[tuple[np.ndarray, np.ndarray, float]], slope: np.ndarray) -> np.ndarray:
    """Return the slope times the inverse Hessian as far as the pairs tell it (algorithm 7.4)."""
    left = slope.copy()
    shares = []
    for moved, bent, inverse in reversed(pairs):
        shares.append(inverse * float(moved @ left))
        left -= shares[-1] * bent
    if pairs:
        moved, bent, inverse = pairs[-1]
        left /= inverse * float(bent @ bent)
    for (moved, bent, inverse), share in zip(pairs, reversed(shares), strict=True):
        left += (share - inverse * float(bent @ left)) * moved
    return left


def _searched(objective: Objective, here: _Place, way: np.ndarray, first: float) -> _Place | None:
    """Return a place that meets the weak Wolfe conditions on the way (Lewis & Overton 2013), its first step `first`.

    None where none is found, which near the end is what rounding does.
    """
    promised = float(here.slope @ way)
    low, high, step = 0.0, np.inf, first
    best: _Place | None = None
    for _ in range(_TRIES):
        there = _Place.of(objective, here.at + step * way)
        if not there.value <= here.value + _GAIN * step * promised:
            high = step
        else:
            best, low = there, step
            if float(there.slope @ way) >= _SLOPE * promised:
                return best
        step = 2 * low if high == np.inf else (low + high) / 2
    return best
