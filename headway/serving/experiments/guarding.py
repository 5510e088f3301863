"""Stop an arm that harms its users: too many errors, or too slow, by more than chance explains."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headway.errors import StoreError
from headway.evaluation.sequential import Sums, compare_means, proportion_evidence
from headway.serving.experiments.keeping import end_arm
from headway.serving.experiments.plan import Experiment
from headway.serving.experiments.routing import Router
from headway.serving.learning.noted import Noted
from headway.serving.observing import Failed, Served
from headway.serving.store.alarms import Alarm
from headway.serving.store.opening import Store

# The chance that a harmless arm is ever stopped, over all looks, divided over the arms and the guardrails.
ALPHA = 0.01
_log = logging.getLogger("headway.serving")


@dataclass
class _Behaviour:
    """How one arm has behaved in this process."""

    failures: Sums = field(default_factory=Sums)
    log_seconds: Sums = field(default_factory=Sums)
    slow: int = 0


class Guard:
    """The consumer that judges every arm after each batch; make a `Lane` of it.

    Each server process judges by what it has seen itself, so that it needs no store to stop a bad arm at once.
    """

    def __init__(self, router: Router, raise_alarm: Callable[[Alarm], None], store: Store | None = None) -> None:
        """Stop arms in `router`, and in `store` for the other processes."""
        self._router, self._raise, self._store = router, raise_alarm, store
        self._seen: dict[tuple[str, float], dict[str, _Behaviour]] = {}
        self._untold: list[tuple[str, str, str]] = []

    def __call__(self, batch: Sequence[Noted]) -> None:
        """Add a batch of events to what is known and stop what is bad."""
        running = {each.name: each for each in self._router.experiments.values()}
        for noted in batch:
            self._add(noted, running)
        for experiment in running.values():
            seen = self._seen.get((experiment.name, experiment.started), {})
            for arm, reason in find_harm(experiment, seen):
                self._stop(experiment, arm, reason)
        self._tell_store()

    def _add(self, noted: Noted, running: dict[str, Experiment]) -> None:
        event = noted.event
        if not isinstance(event, Served | Failed) or not event.arm:
            return
        name, _, arm = event.arm.rpartition("/")
        experiment = running.get(name)
        if experiment is None:
            return
        failed = isinstance(event, Failed)
        if isinstance(event, Failed) and not _is_fault(event):
            return
        if event.shadow:
            arm = next((each.name for each in experiment.arms if each.shadow), arm)
        seen = self._seen.setdefault((name, experiment.started), {}).setdefault(arm, _Behaviour())
        seen.failures = seen.failures.add(float(failed))
        if not failed:
            seen.log_seconds = seen.log_seconds.add(math.log(max(event.seconds, 1e-6)))
            bound = experiment.guardrails.latency_p95_ms
            seen.slow += bound is not None and event.seconds * 1000 > bound

    def _stop(self, experiment: Experiment, arm: str, reason: str) -> None:
        self._router.end_arm(experiment.name, arm, reason)
        self._untold.append((experiment.name, arm, reason))
        details = {"experiment": experiment.name, "arm": arm}
        self._raise(Alarm("guardrail", experiment.model, f"{experiment.name}/{arm} was stopped: {reason}", details))

    def _tell_store(self) -> None:
        """Write down what was stopped; what the store does not take now is written with the next batch."""
        while self._store is not None and self._untold:
            try:
                end_arm(self._store, *self._untold[0])
            except StoreError as error:
                _log.warning("the store does not yet know that an arm was stopped: %s", error)
                return
            self._untold.pop(0)


def _is_fault(event: Failed) -> bool:
    """Tell whether a failure is the arm's own: the client's mistakes are not, nor is too much to do.

    What a shadow refuses (422) was answered by the package in front of it.
    """
    return event.status >= 500 or (event.shadow and event.status == 422)


def find_harm(experiment: Experiment, seen: dict[str, _Behaviour]) -> Iterator[tuple[str, str]]:
    """Yield each arm that crosses a guardrail, with the reason in words."""
    control = seen.get(experiment.control.name, _Behaviour())
    alpha = ALPHA / (3 * max(1, len(experiment.arms) - 1))
    for arm in experiment.arms[1:]:
        behaviour = seen.get(arm.name)
        if behaviour is None or arm.name in experiment.ended_arms:
            continue
        reason = _reason(experiment, control, behaviour, alpha)
        if reason:
            yield arm.name, reason


def _reason(experiment: Experiment, control: _Behaviour, arm: _Behaviour, alpha: float) -> str:
    guardrails = experiment.guardrails
    errors = compare_means(control.failures, arm.failures, alpha=alpha, binary=True)
    if errors.interval[0] > guardrails.errors:
        return f"{arm.failures.mean:.1%} of its requests fail, {control.failures.mean:.1%} of the control's"
    latency = compare_means(control.log_seconds, arm.log_seconds, alpha=alpha)
    if latency.interval[0] > math.log(guardrails.slower):
        return f"it takes {math.exp(latency.difference):.1f} times as long as the control"
    bound, rows = guardrails.latency_p95_ms, arm.log_seconds.count
    if bound is not None and proportion_evidence(arm.slow, rows, at_most=0.05) > 1 / alpha:
        return f"{arm.slow / rows:.1%} of its requests take longer than {bound:g} ms, 5% are allowed"
    return ""
