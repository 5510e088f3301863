"""Put together what learns from production, as the options of `headway serve` ask."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from headway.errors import InputError, StoreError
from headway.serving.drift.recalling import Recall
from headway.serving.drift.watching import Watch, Watching
from headway.serving.experiments.following import Follower
from headway.serving.experiments.guarding import Guard
from headway.serving.experiments.routing import Router
from headway.serving.experiments.standing import Standings
from headway.serving.learning.alarming import Alarms
from headway.serving.learning.collecting import Collector, list_figures
from headway.serving.learning.lane import Lane
from headway.serving.learning.learner import Learner
from headway.serving.learning.ledger import Ledger, shared_folder
from headway.serving.page.experimenting import experiments_panel
from headway.serving.store.deleting import prune
from headway.serving.store.opening import connect
from headway.serving.store.recorder import Recorder, read_keeping

_PRUNE_SECONDS = 3600.0
_log = logging.getLogger("headway.serving")


@dataclass(frozen=True)
class LearnOptions:
    """What a service keeps and watches.

    `store`: URL, None keeps nothing; `keep`: off, all, or a share such as 10%; `mask`: personal data out of it;
    `keep_days`: older rows are deleted, None keeps them. `drift`: whether rows are compared with training; `window`
    rows at a time at `false_alarms` a window. `webhook`: where alarms are posted.
    """

    store: str | None = None
    keep: str = "all"
    mask: bool = True
    keep_days: float | None = 90.0
    drift: bool = True
    window: int = 500
    false_alarms: float = 0.01
    webhook: str | None = None


class _Settings(Protocol):
    """What is asked of the service's settings."""

    @property
    def options(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Learning(Learner):
    """The observer of one worker with all that belongs to it: `collector` for its `/metrics`, `panels` for its page."""

    collector: Collector | None = None
    panels: Sequence[Callable[[str], object]] = ()
    ends: Sequence[Callable[[], object]] = ()

    def close(self) -> None:
        """Finish what waits, for five seconds at most, and stop all threads."""
        super().close()
        for end in self.ends:
            end()


def learn(settings: _Settings) -> tuple[Learning, Router]:
    """Return the started observer and router of a worker: `observer="headway.serving.learning.assembling:learn"`.

    `settings.options` holds fields of `LearnOptions`. Raises `HeadwayError` for options that make no sense; a database
    that is away is no error: it is waited for.
    """
    options = read_options(settings.options)
    store = None if options.store is None else connect(options.store)
    router, alarms = Router(), Alarms(store, options.webhook)
    recorder = store and Recorder(store, replace(read_keeping(options.keep), mask=options.mask))
    watching = Watching(window=options.window, false_alarms=options.false_alarms)
    watch = Watch(alarms.raise_alarm, watching, recall=Recall(store)) if store else Watch(alarms.raise_alarm, watching)
    lanes = [Lane("guardrails", Guard(router, alarms.raise_alarm, store))]
    lanes += [Lane("drift", watch)] if options.drift else []
    ends: list[Callable[[], object]] = []
    follower = Follower(store, router) if store else None
    follows = [watch.opened, router.opened, *([follower.opened] if follower else [])]
    observer = Learning(Lane("store", recorder) if recorder else None, lanes, follows)

    def figures() -> list[Any]:
        return list_figures(
            observer.tallies(),
            refused=recorder.refused if recorder else 0,
            alarms=alarms.count,
            undelivered=alarms.undelivered,
            drifts=watch.drifts(),
            experiments=list(router.experiments.values()),
            progress=watch.progress() if options.drift else {},
        )

    ledger = Ledger(shared_folder(os.getppid()), figures)
    ledger.start()
    ends.append(ledger.close)
    panels: list[Callable[[str], object]] = []
    if store is not None and follower is not None:
        panels.append(experiments_panel(Standings(store, router).latest))
        follower.start()
        ends += [follower.close, _keep_young(store, options.keep_days), store.close]
    observer = replace(observer, collector=Collector(ledger.figures), panels=panels, ends=ends)
    observer.start()
    return observer, router


def read_options(given: Mapping[str, Any]) -> LearnOptions:
    """Return the options; raises `InputError` for an unknown one or a figure out of bounds."""
    known = LearnOptions.__dataclass_fields__
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError("unknown options of learning", expected=", ".join(known), got=", ".join(unknown))
    options = LearnOptions(**given)
    if not 0 < options.false_alarms < 1:
        raise InputError("false_alarms is a share", expected="between 0 and 1", got=str(options.false_alarms))
    if options.window < 50:
        raise InputError("the window is too small to see drift", expected="50 rows or more", got=str(options.window))
    return options


def _keep_young(store: Any, days: float | None) -> Callable[[], None]:
    """Delete what is too old now and once an hour; return what stops that."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                prune(store, before=time.time() - 86_400 * (days or 0))
            except StoreError as error:
                _log.warning("old predictions are not deleted yet: %s", error)
            stop.wait(_PRUNE_SECONDS)

    if days is not None:
        threading.Thread(target=work, name="headway-retention", daemon=True).start()
    return stop.set
