"""Hand each answered request to everybody who learns from it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from headway.serving.observing.lane import Lane, Tally
from headway.serving.observing.served import Served


@dataclass(frozen=True)
class Observer:
    """The lanes of one server process: the store, the drift watch, the guardrails; each has its own queue.

    `observe` costs the request a few microseconds whatever happens behind it.
    """

    lanes: Sequence[Lane] = ()

    def start(self) -> None:
        """Start the threads; call it in the process that serves."""
        for lane in self.lanes:
            lane.start()

    def observe(self, served: Served) -> None:
        """Hand a request on; never blocks, never raises."""
        for lane in self.lanes:
            lane.offer(served)

    def tallies(self) -> dict[str, Tally]:
        """Return the counts of every lane by its name."""
        return {lane.name: lane.tally() for lane in self.lanes}

    def drain(self, seconds: float = 5.0) -> bool:
        """Wait until everything observed so far was used; return False where the time ran out."""
        deadline = time.monotonic() + seconds
        return all(lane.drain(max(0.0, deadline - time.monotonic())) for lane in self.lanes)

    def close(self, seconds: float = 5.0) -> dict[str, Tally]:
        """Finish what waits within so many seconds, stop the threads, and return the last counts."""
        deadline = time.monotonic() + seconds
        return {lane.name: lane.close(max(0.0, deadline - time.monotonic())) for lane in self.lanes}
