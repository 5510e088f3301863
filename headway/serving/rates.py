"""How often a key may ask, counted over all workers."""

from __future__ import annotations

import time
from pathlib import Path

from headway.serving.keys import MOST_KEYS, read_rate
from headway.serving.shared_memory import Board, open_board

SIZE = MOST_KEYS * 3


class Rates:
    """Counts requests of each key in windows of its rate's unit.

    A sliding window is approximated from the counts of this window and, by the share that still reaches into it, the
    last one. Each worker counts its own requests and reads all others', so the bound holds for the whole service.
    """

    def __init__(self, board: Board) -> None:
        """Count in `board`, whose parts are `SIZE` long."""
        self._board = board

    @classmethod
    def alone(cls) -> Rates:
        """Return the counts of a process without fellow workers."""
        return cls(open_board(None, workers=1, size=SIZE, index=0))

    @classmethod
    def open(cls, path: Path, *, workers: int, index: int) -> Rates:
        """Return the counts of one of several workers."""
        return cls(open_board(path, workers=workers, size=SIZE, index=index))

    def wait(self, place: int, rate: str) -> float:
        """Count one request of the key at `place`; return the seconds to wait where it is one too many, else 0."""
        most, unit = read_rate(rate)
        now = time.monotonic()
        window = int(now // unit)
        gone = now / unit - window
        used = sum(_used(part, place * 3, window, gone) for part in self._board.parts())
        if used >= most:
            return max(0.001, (1 - gone) * unit if used < 2 * most else unit)
        own = self._board.own
        start = place * 3
        if own[start] != window:
            own[start + 2] = own[start + 1] if own[start] == window - 1 else 0
            own[start], own[start + 1] = window, 0
        own[start + 1] += 1
        return 0.0


def _used(part: memoryview, start: int, window: int, gone: float) -> float:
    """Return the requests of one worker in the sliding window."""
    if part[start] == window:
        return float(part[start + 1] + part[start + 2] * (1 - gone))
    return float(part[start + 1] * (1 - gone)) if part[start] == window - 1 else 0.0
