"""Whether a base fits the memory, known before its weights are fetched, unpacked or loaded."""

from __future__ import annotations

import math

from headway.errors import BaseModelError

# What PyTorch and Transformers themselves take, and how much more than its weights a model needs to run.
OWN_MB, WEIGHTS_TIMES = 600.0, 1.3
_MB = 1024**2


def memory_needed(size_mb: float) -> float:
    """Return the memory in MB that a process with a model of this size takes at the least."""
    return OWN_MB + WEIGHTS_TIMES * size_mb


def float32_mb(parameters: int) -> float:
    """Return the size in MB of so many numbers in float32."""
    return 4 * parameters / _MB


def refuse_too_large(name: str, size_mb: float, memory_mb: float) -> None:
    """Raise `BaseModelError` where a base whose weights take `size_mb` in float32 cannot fit the memory."""
    needed = memory_needed(size_mb)
    if needed > memory_mb:
        raise BaseModelError(
            f"the base {name} is too large for the memory budget",
            expected=f"budget.memory of {math.ceil(needed)}MB or more for {size_mb:,.0f} MB of weights in float32",
            got=f"{memory_mb:.0f}MB",
            fix="raise budget.memory, or take a smaller base: headway bases lists them",
        )
