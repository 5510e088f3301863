"""A bounded queue with a thread behind it: what does not fit is counted, never waited for."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headway.serving.learning.noted import Noted

MOST_EVENTS = 20_000
MOST_BYTES = 64_000_000
BATCH = 500
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 15.0
_log = logging.getLogger("headway.serving")


class NotNowError(Exception):
    """A consumer cannot take a batch at the moment (the database is gone, the disk is full): try it again later."""


@dataclass(frozen=True)
class Tally:
    """What became of the events that were handed to a lane; `waiting` are still in it.

    `overflowed`: dropped because the queue was full. `failed`: the consumer broke on them, or the server stopped
    before they could be taken. `down`: the consumer could not take the last batch it was given.
    """

    taken: int = 0
    overflowed: int = 0
    failed: int = 0
    waiting: int = 0
    down: bool = False


class Lane:
    """One consumer with its own queue and thread; `offer` never blocks and never raises."""

    def __init__(
        self,
        name: str,
        consume: Callable[[Sequence[Noted]], None],
        *,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Name the lane for logs and metrics; `consume` is called in its thread with up to `BATCH` events."""
        self.name = name
        self._consume = consume
        self._most = (most_events, most_bytes)
        self._queue: deque[tuple[Noted, int]] = deque()
        self._bytes = 0
        self._tally = Tally()
        self._told = 0.0
        self._changed = threading.Condition()
        self._closing: float | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread (after a fork, not before)."""
        self._thread = threading.Thread(target=self._work, name=f"headway-{self.name}", daemon=True)
        self._thread.start()

    def offer(self, noted: Noted) -> bool:
        """Put an event into the queue; return False where there is no room, which is counted."""
        weight = noted.weight
        with self._changed:
            fits = len(self._queue) < self._most[0] and self._bytes + weight <= self._most[1]
            if fits and self._closing is None:
                self._queue.append((noted, weight))
                self._bytes += weight
                self._changed.notify()
                return True
            self._tally = replace(self._tally, overflowed=self._tally.overflowed + 1)
        self._tell_rarely("the queue is full; %d events were not handed on so far", self._tally.overflowed)
        return False

    def tally(self) -> Tally:
        """Return the counts so far."""
        with self._changed:
            return replace(self._tally, waiting=len(self._queue))

    def drain(self, seconds: float) -> bool:
        """Wait until everything offered so far was taken or lost; return False where the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, timeout=seconds)

    def close(self, seconds: float) -> Tally:
        """Take what still waits, for so many seconds at most, then stop; what is left over counts as failed."""
        with self._changed:
            self._closing = time.monotonic() + seconds
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=seconds + 1)
        with self._changed:
            left = len(self._queue)
            self._queue.clear()
            self._tally = replace(self._tally, failed=self._tally.failed + left)
        if left:
            _log.error("%s: %d events were lost at the end", self.name, left)
        return self._tally

    def _work(self) -> None:
        """Hand batches to the consumer until the lane is closed and empty."""
        pause = _FIRST_PAUSE
        while (batch := self._next_batch()) is not None:
            try:
                self._consume(batch)
            except NotNowError as error:
                self._tell_rarely("%s; %d events wait", error, len(self._queue))
                if not self._wait(pause):
                    return
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            except Exception:  # noqa: BLE001 - whatever a consumer breaks on, the lane goes on and counts it
                _log.exception("%s: a batch of %d events could not be used", self.name, len(batch))
                self._settle(len(batch), failed=True)
            else:
                self._settle(len(batch), failed=False)
            pause = _FIRST_PAUSE

    def _next_batch(self) -> list[Noted] | None:
        """Return the events at the front, which stay in the queue until they are settled; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing is not None)
            if not self._queue:
                return None
            return [self._queue[number][0] for number in range(min(BATCH, len(self._queue)))]

    def _settle(self, count: int, *, failed: bool) -> None:
        with self._changed:
            for _ in range(count):
                self._bytes -= self._queue.popleft()[1]
            taken, lost = (0, count) if failed else (count, 0)
            self._tally = replace(
                self._tally, taken=self._tally.taken + taken, failed=self._tally.failed + lost, down=False
            )
            self._changed.notify_all()

    def _wait(self, seconds: float) -> bool:
        """Wait before the next attempt; return False where the lane's time is up."""
        with self._changed:
            self._tally = replace(self._tally, down=True)
            if self._closing is None:
                self._changed.wait_for(lambda: self._closing is not None, timeout=seconds)
                return True
            left = self._closing - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(seconds, left, 1.0))
        return True

    def _tell_rarely(self, message: str, *values: object) -> None:
        """Log at most once in ten seconds; the counts tell the rest."""
        now = time.monotonic()
        if now - self._told > 10 or self._told == 0:
            self._told = now
            _log.warning(f"%s: {message}", self.name, *values)
