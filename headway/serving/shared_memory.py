"""Whole numbers that all workers can read and each writes in its own part: no locks, no messages.

The supervisor makes one file in memory (or on disk) and every worker maps it. A worker that is killed leaves its counts
behind, and the one that takes its place goes on counting.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from headway.serving.leavings import PREFIX

WORKERS = 64


@dataclass(frozen=True)
class Board:
    """`workers` parts of `size` 64-bit integers each; `own` is the part of this process."""

    cells: memoryview
    workers: int
    size: int
    index: int

    @property
    def own(self) -> memoryview:
        """Return the part that this worker writes."""
        return self.part(self.index)

    def part(self, worker: int) -> memoryview:
        """Return the part of a worker."""
        return self.cells[worker * self.size : (worker + 1) * self.size]

    def parts(self) -> list[memoryview]:
        """Return all parts."""
        return [self.part(worker) for worker in range(self.workers)]

    def total(self, position: int) -> int:
        """Return the sum of one number over all workers."""
        return sum(self.cells[position :: self.size])


def make_board_file(workers: int, size: int, folder: Path | None = None) -> Path:
    """Make an empty file for a board and return its path."""
    fast = Path("/dev/shm")  # noqa: S108 - a private file is made in it
    place = folder or (fast if os.access(fast, os.W_OK) else None)
    handle, name = tempfile.mkstemp(prefix=f"{PREFIX}board-", dir=place)
    os.ftruncate(handle, workers * size * 8)
    os.close(handle)
    return Path(name)


def open_board(path: Path | None, *, workers: int, size: int, index: int) -> Board:
    """Map a board; without a path it lives in this process alone."""
    length = workers * size * 8
    if path is None:
        return Board(memoryview(mmap.mmap(-1, length)).cast("q"), workers, size, index)
    with path.open("r+b") as file:
        return Board(memoryview(mmap.mmap(file.fileno(), length)).cast("q"), workers, size, index)
