"""How long and how large: time a few steps on a copy of the network before training starts."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

PROBE_STEPS = 6
PROBE_SECONDS = 1.5


@dataclass(frozen=True)
class Pace:
    """Seconds of one training step and of one whole validation."""

    step: float
    validation: float

    def epoch(self, steps: int) -> float:
        """Return the seconds of an epoch of `steps` steps with its validation."""
        return steps * self.step + self.validation


def timed_steps(
    run_step: Callable[[int], object], *, steps: int = PROBE_STEPS, seconds: float = PROBE_SECONDS
) -> float:
    """Return the median seconds of a step, the first (which warms up) left out where there are others."""
    taken: list[float] = []
    began = time.perf_counter()
    for index in range(steps):
        start = time.perf_counter()
        run_step(index)
        taken.append(time.perf_counter() - start)
        if time.perf_counter() - began > seconds:
            break
    return float(np.median(taken[1:] or taken))


def copied(network: nn.Module) -> nn.Module:
    """Return a network that can be trained without a trace on the original; weights that do not learn are shared."""
    frozen = {id(parameter): parameter for parameter in network.parameters() if not parameter.requires_grad}
    return copy.deepcopy(network, frozen)
