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


class TooLargeError(BaseModelError):
    """A base cannot fit the memory budget; its weights in float32 and what running them takes are in MB."""

    def __init__(self, name: str, size_mb: float, memory_mb: float) -> None:
        """Word it for a project; who knows of another bound words it anew."""
        self.name, self.size_mb, self.needed_mb = name, size_mb, math.ceil(memory_needed(size_mb))
        super().__init__(
            f"the base {name} is too large for the memory budget",
            expected=f"budget.memory of {self.needed_mb}MB or more for {size_mb:,.0f} MB of weights in float32",
            got=f"{memory_mb:.0f}MB",
            fix="raise budget.memory, or take a smaller base: headway bases lists them",
        )


def refuse_too_large(name: str, size_mb: float, memory_mb: float) -> None:
    """Raise `TooLargeError` where a base whose weights take `size_mb` in float32 cannot fit the memory."""
    if memory_needed(size_mb) > memory_mb:
        raise TooLargeError(name, size_mb, memory_mb)
