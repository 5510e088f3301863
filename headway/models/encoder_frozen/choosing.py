"""Which head, and how much penalty: the least loss on rows that it did not learn from."""

from __future__ import annotations

import numpy as np

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import PENALTIES, SOLVE, Head, Vectors
from headway.models.targets import TargetScale, mean_loss
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# A weaker penalty has to gain this share of the loss.
GAIN = 1e-3


def choose(
    train: Vectors,
    valid: Vectors,
    truth: np.ndarray,
    *,
    task: Task,
    recipe: Recipe,
    target: TargetScale | None,
    clock: Clock,
) -> tuple[str, float, Head]:
    """Return the name, penalty and head of the least loss on `valid`, whose targets in their own unit are `truth`.

    Each head walks from the strongest penalty to the weakest, starting where the last one ended, until it gets worse.
    """
    best: tuple[float, str, float, Head] | None = None
    for name, path in PENALTIES[task.kind].items():
        head: Head | None = None
        lowest = np.inf
        for penalty in path if recipe.weight_decay is None else (recipe.weight_decay,):
            if best is not None and clock.expired:
                break
            head = SOLVE[name](train, task, penalty, head, clock)
            found = mean_loss(answer(head.outputs(valid.x), target), truth, valid.weight, task, recipe)
            if best is None or found < best[0] * (1 - GAIN):
                best = (found, name, penalty, head)
            if found > lowest * (1 + GAIN):
                break
            lowest = min(lowest, found)
    assert best is not None
    return best[1:]
