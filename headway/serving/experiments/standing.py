"""How the running experiments stand, kept fresh in the background for as long as somebody looks."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from headway.errors import HeadwayError
from headway.serving.experiments.fitting import Misfit, find_misfits
from headway.serving.experiments.judging import Judgement, judge
from headway.serving.experiments.keeping import find_missing
from headway.serving.experiments.outcomes import read_outcomes
from headway.serving.experiments.plan import Experiment
from headway.serving.experiments.routing import Router
from headway.serving.store.opening import Store

# A judgement is renewed after so many seconds, and after so many times what it took: a large store is not read all day.
EVERY_SECONDS, REST = 15.0, 20.0
_log = logging.getLogger("headway.serving")


@dataclass(frozen=True)
class Standing:
    """One experiment, what it has found, and the users whose time window is not over.

    Arms with `misfits`, and those whose packages this process does not serve (`missing`), get no traffic.
    """

    experiment: Experiment
    judgement: Judgement
    waiting: int
    misfits: tuple[Misfit, ...] = ()
    missing: tuple[str, ...] = ()


class Standings:
    """The latest judgement of each running experiment; asking for it never waits for the store."""

    def __init__(self, store: Store, router: Router, *, every: float = EVERY_SECONDS) -> None:
        """Judge the experiments that `router` knows by what `store` has kept."""
        self._store, self.router, self._every = store, router, every
        self._latest: tuple[Standing, ...] = ()
        self._due = 0.0
        self._working = threading.Lock()

    def latest(self) -> tuple[Standing, ...]:
        """Return what was found last, and see in the background to newer findings where those are due."""
        if time.monotonic() >= self._due and self._working.acquire(blocking=False):
            threading.Thread(target=self._work, name="headway-standings", daemon=True).start()
        return self._latest

    def refresh(self) -> tuple[Standing, ...]:
        """Judge now and return what was found; while the store is away, what was known stays."""
        began = time.monotonic()
        try:
            self._latest = tuple(self._judged(each) for each in list(self.router.experiments.values()))
        except HeadwayError as error:
            _log.warning("experiments are not judged for the page: %s", error)
        spent = time.monotonic() - began
        self._due = time.monotonic() + max(self._every, REST * spent)
        return self._latest

    def _work(self) -> None:
        try:
            self.refresh()
        finally:
            self._working.release()

    def _judged(self, experiment: Experiment) -> Standing:
        now = time.time()
        found = read_outcomes(self._store, experiment, now=now)
        # A picture wants some sixty looks, however short or long it has run.
        every = max(60.0, (now - experiment.started) / 60)
        judgement = judge(experiment, found.units, now=now, every=every)
        packages = self.router.packages
        missing = find_missing(experiment, packages) if packages else []
        misfits = find_misfits(experiment, packages)
        return Standing(experiment, judgement, found.waiting, tuple(misfits), tuple(missing))
