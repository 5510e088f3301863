"""How much memory this process takes, and how much the machine or its container has left."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

# Linux tells by itself; an image that serves has no psutil.
_STATM, _MEMINFO = Path("/proc/self/statm"), Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")


def taken() -> float:
    """Return the bytes that this process holds in memory."""
    if _STATM.exists():
        return float(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return float(psutil.Process().memory_info().rss)


def left(container: Path = _CONTAINER) -> float:
    """Return the bytes that are free: on the machine, or within the limit of the container where that is less."""
    free = _free()
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        limit = int((container / "memory.max").read_text())
        free = min(free, float(limit - int((container / "memory.current").read_text())))
    return max(0.0, free)


def _free() -> float:
    found = re.search(r"MemAvailable:\s+(\d+) kB", _MEMINFO.read_text()) if _MEMINFO.exists() else None
    if found is not None:
        return float(found[1]) * 1024
    import psutil

    return float(psutil.virtual_memory().available)
