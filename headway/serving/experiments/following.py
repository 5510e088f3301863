"""A server keeps up with the experiments in the store, and says there that it does."""

from __future__ import annotations

import logging
import threading
import time

from headway.errors import StoreError
from headway.serving.experiments.keeping import read_experiments
from headway.serving.experiments.routing import Router
from headway.serving.observing import Opened
from headway.serving.store.opening import Store, prepare, reaching
from headway.serving.store.serving import TOLD_EVERY, tell_serving

EVERY_SECONDS = 3.0
_log = logging.getLogger("headway.serving")


class Follower:
    """A thread that reads the experiments every few seconds; while the store is away, what was known goes on."""

    def __init__(self, store: Store, router: Router, *, every: float = EVERY_SECONDS) -> None:
        """Keep `router` up to date with `store`."""
        self._store, self._router, self._every = store, router, every
        self._prepared, self._away = False, False
        self._packages: dict[str, Opened] = {}
        self._told = -TOLD_EVERY
        self._wake, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="headway-experiments", daemon=True)

    def start(self) -> None:
        """Read once, so that the first request finds its arm, and go on in the background."""
        self.follow()
        self._thread.start()

    def opened(self, event: Opened) -> None:
        """Say in the store, from the background, that this server answers with a package."""
        self._packages = {**self._packages, event.name: event}
        self._told = -TOLD_EVERY
        self._wake.set()

    def follow(self) -> bool:
        """Read the experiments now; return False where the store is away, which is logged when it begins."""
        try:
            if not self._prepared:
                with reaching(self._store, "cannot be opened"):
                    prepare(self._store)
                self._prepared = True
            self._router.update(read_experiments(self._store))
            self._tell()
        except StoreError as error:
            if not self._away:
                _log.warning("experiments go on as they were: %s", error)
            self._away, self._prepared = True, False
            return False
        self._away = False
        return True

    def close(self) -> None:
        """Stop the thread."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._every + 1)

    def _work(self) -> None:
        while not self._stopped:
            self._wake.wait(self._every)
            self._wake.clear()
            if not self._stopped:
                self.follow()

    def _tell(self) -> None:
        if self._packages and time.monotonic() - self._told >= TOLD_EVERY:
            self._told = time.monotonic()
            tell_serving(self._store, self._packages.values())
