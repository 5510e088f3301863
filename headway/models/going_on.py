"""A fit on all rows that goes on where the judged one on part of them ended: what such families have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

# The setting that names what the judged fit has kept under its scratch folder.
GOES_ON_FROM = "goes_on_from"
# Rows to go on with for each new one: itself and an old one.
ROWS_A_NEW_ONE = 2


def rows_to_go_on_with(rows: Iterable[object], seen: Collection[object], *, seed: int) -> np.ndarray:
    """Return the positions of all rows that were not `seen`, and of as many others; int64, in their order."""
    known = np.array([row in seen for row in rows], bool)
    new, old = np.flatnonzero(~known), np.flatnonzero(known)
    chosen = np.random.default_rng(seed).permutation(old)[: (ROWS_A_NEW_ONE - 1) * len(new)]
    return np.sort(np.concatenate([new, chosen]))
