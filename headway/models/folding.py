"""Divisions of the training rows for choosing settings inside a candidate's `fit`."""

from __future__ import annotations

import numpy as np

from headway.data.dataset import Fold
from headway.tasks import Task


def inner_folds(y: np.ndarray, task: Task, *, folds: int, seed: int) -> tuple[Fold, ...]:
    """Return `folds` folds over positions 0..n-1; classes, or the order of values, are spread evenly over them."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    place = np.empty(len(y), np.int64)
    place[order] = np.arange(len(y)) % folds
    if task.kind == "regress":
        # Neighbours in value form a block; inside each block the folds come in random order.
        blocks = np.arange(len(y)) // folds
        place[order] = np.argsort(np.argsort(blocks + rng.random(len(y)), kind="stable"), kind="stable") % folds
    return tuple(Fold(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(folds))
