"""Giving memory back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys

import psutil

# From this share of a budget on it is worth the time to give back what is not needed any more.
_FULL = 0.5


def make_room(budget_mb: float) -> float:
    """Return how many MB of a budget this process leaves free, after it gave back what it can where it holds much."""
    if is_tight(budget_mb):
        release_memory()
    return budget_mb - _resident_mb()


def is_tight(budget_mb: float) -> bool:
    """Tell whether this process holds so much of a memory budget that another should not run beside it."""
    return _resident_mb() > _FULL * budget_mb


def release_memory() -> None:
    """Collect garbage and, with glibc, return freed memory to the system, which otherwise stays with the process."""
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)
