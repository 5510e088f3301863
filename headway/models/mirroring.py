"""Whether answers from an image and its mirror image together are worth twice the work (test-time augmentation)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headway.compute.clock import Clock
from headway.models.family import Examples
from headway.models.targets import row_losses
from headway.models.weighting import row_weights
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Mirror images are read too only where this share of the time would be left for all else.
SPARE = 0.5
# So many standard errors must the loss fall by, or the answer is not worth twice the work.
SURE = 1.0
# A package answers a little slower than its encoder alone.
MARGIN = 0.9


def may_mirror(clock: Clock, spent: float, allowed_ms: float, row_seconds: Callable[[], float]) -> bool:
    """Tell whether reading mirror images too would fit the time, and the latency that the project allows.

    `spent`: the seconds that reading the images as they are took; `row_seconds` measures a row with its mirror images.
    """
    if clock.expired or clock.left() * SPARE < spent:
        return False
    return allowed_ms == float("inf") or 1000 * row_seconds() <= MARGIN * allowed_ms


def is_better(new: np.ndarray, old: np.ndarray, exam: Examples, task: Task, recipe: Recipe) -> bool:
    """Tell whether the loss of validation rows falls by more than noise from the `old` answers to the `new` ones."""
    weight = row_weights(exam, task, recipe)
    gains = (row_losses(old, exam.y, task, recipe) - row_losses(new, exam.y, task, recipe)) * weight
    return bool(gains.mean() > SURE * gains.std() / np.sqrt(len(gains)) + 1e-9)
