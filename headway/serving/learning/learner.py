"""The observer of a server that learns: every event goes into lanes, each with its own queue and thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headway.serving.learning.lane import Lane, Tally
from headway.serving.learning.noted import Noted
from headway.serving.observing import Failed, Feedback, Opened, Served


@dataclass(frozen=True)
class Learner:
    """An `observing.Observer`: telling it costs a request a few microseconds, whatever happens behind it.

    `lanes` use every event (drift, guardrails); `store`, where there is one, is the lane that keeps them. `follows` are
    told of each package that is served from now on; they must return at once.
    """

    store: Lane | None = None
    lanes: Sequence[Lane] = ()
    follows: Sequence[Callable[[Opened], object]] = ()

    def start(self) -> None:
        """Start the threads; call it in the process that serves, after any fork."""
        for lane in self._all:
            lane.start()

    def opened(self, event: Opened) -> None:
        """Take note of a package that answers from now on; no queue can lose it."""
        for follow in self.follows:
            follow(event)

    def served(self, event: Served) -> None:
        """Take note of a request that was answered."""
        self._offer(Noted(event))

    def failed(self, event: Failed) -> None:
        """Take note of a request that was not."""
        self._offer(Noted(event))

    def told(self, event: Feedback) -> bool:
        """Take note of feedback; return False where it will not be kept: no store, or one that is away or full."""
        noted = Noted(event)
        for lane in self.lanes:
            lane.offer(noted)
        return self.store is not None and not self.store.tally().down and self.store.offer(noted)

    def close(self) -> None:
        """Finish what waits, for five seconds at most, and stop the threads."""
        deadline = time.monotonic() + 5.0
        for lane in self._all:
            lane.close(max(0.0, deadline - time.monotonic()))

    def drain(self, seconds: float = 5.0) -> bool:
        """Wait until everything noted so far was used; return False where the time ran out."""
        deadline = time.monotonic() + seconds
        return all(lane.drain(max(0.0, deadline - time.monotonic())) for lane in self._all)

    def tallies(self) -> dict[str, Tally]:
        """Return the counts of every lane by its name."""
        return {lane.name: lane.tally() for lane in self._all}

    @property
    def _all(self) -> tuple[Lane, ...]:
        return (*((self.store,) if self.store else ()), *self.lanes)

    def _offer(self, noted: Noted) -> None:
        for lane in self._all:
            lane.offer(noted)
