"""How much time is left."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """A deadline on the monotonic clock, in seconds; infinite when nobody is waiting."""

    deadline: float = float("inf")

    @classmethod
    def after(cls, seconds: float) -> Clock:
        """Return a clock that runs out `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def earlier(self, seconds: float) -> Clock:
        """Return a clock that runs out `seconds` before this one."""
        return Clock(self.deadline - seconds)

    def left(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def expired(self) -> bool:
        """Tell whether the time is up."""
        return time.monotonic() >= self.deadline
