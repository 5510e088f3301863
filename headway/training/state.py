"""The running tournament: what ended so far, who leads, and how that is told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from headway.compute.clock import Clock
from headway.evaluation.metrics import greater_is_better
from headway.models.family import Fitted, Registry
from headway.training.contest import Contest
from headway.training.entrants import YARDSTICK, Entrant
from headway.training.events import BestSoFar, CandidateFinished, Listen, Unkept
from headway.training.footprints import Footprints
from headway.training.outcome import Outcome
from headway.training.storage import Store


@dataclass
class State:
    """The running tournament: what ended so far, and who leads.

    `wholes` are models that saw all training rows already, by name; their refit is done.
    """

    contest: Contest
    registry: Registry
    clock: Clock
    store: Store
    listen: Listen
    footprints: Footprints
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    entrants: dict[str, Entrant] = field(default_factory=dict)
    wholes: dict[str, Fitted] = field(default_factory=dict)

    @property
    def best(self) -> Outcome | None:
        """The best finished candidate that ships and meets the limits; an ensemble leads its members."""
        ready = [outcome for outcome in self.outcomes.values() if outcome.status == "ok" and outcome.name != YARDSTICK]
        return max(ready, key=lambda outcome: (bool(outcome.members), self.rank(outcome)), default=None)

    def rank(self, outcome: Outcome) -> tuple[float, float]:
        """Return a sort key: the metric, then the cheaper one."""
        score = outcome.metrics[self.contest.metric]
        return (score if greater_is_better(self.contest.metric) else -score, -(outcome.latency_p50_ms or 0.0))

    @property
    def seconds_left(self) -> float | None:
        """Seconds left in the budget, None without one."""
        return None if math.isinf(self.clock.left()) else self.clock.left()


def keep(state: State, outcome: Outcome, *, what: str) -> Outcome:
    """Keep an outcome on disk; where that has no room it stays in memory, and the listener is told `what` does."""
    try:
        return state.store.save(outcome)
    except OSError as error:
        if outcome.graph is not None or outcome.answers is not None:
            state.listen(unkept(what, error))
        return outcome


def unkept(what: str, error: OSError) -> Unkept:
    """Return the event that tells that something could not be kept."""
    reason = error.strerror or str(error)
    return Unkept(f"{what} could not be kept on the disk ({reason}): it stays in memory; a killed run makes it again")


def conclude(state: State, outcome: Outcome, *, seconds: float, save: bool = True) -> None:
    """Record an outcome, keep it on disk, tell the listener, and name a new leader."""
    leader = state.best
    if save:
        outcome = keep(state, outcome, what=outcome.name)
    state.outcomes[outcome.name] = outcome
    state.footprints.request(outcome)
    metric = state.contest.metric
    state.listen(
        CandidateFinished(
            outcome.name,
            outcome.status,
            outcome.reason,
            metric,
            outcome.metrics.get(metric),
            seconds,
            state.seconds_left,
        )
    )
    best = state.best
    if best is not None and best is not leader:
        state.listen(BestSoFar(best.name, metric, best.metrics[metric]))
