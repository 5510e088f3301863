"""Rows of different lengths as one rectangle."""

from __future__ import annotations

import numpy as np


def pad(flat: np.ndarray, lengths: np.ndarray, *, fill: int = 0) -> np.ndarray:
    """Lay out `flat` (all rows one after another, `lengths` `[n]` items each) as `[n, longest]`, `fill` after the end.

    The rectangle is at least one wide, so that a graph never sees an empty axis.
    """
    width = max(1, int(lengths.max(initial=1)))
    if len(lengths) == 1 and len(flat) == width:
        return flat.reshape(1, width)
    rows = np.full((len(lengths), width), fill, dtype=flat.dtype)
    rows[np.arange(width) < lengths[:, None]] = flat
    return rows
