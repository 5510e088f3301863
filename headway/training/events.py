"""What the tournament tells whoever listens, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headway.training.outcome import Status


@dataclass(frozen=True)
class CandidateStarted:
    """A candidate begins; seconds are wall time, `budget_left` is None without a budget."""

    name: str
    estimated_seconds: float | None
    budget_left: float | None


@dataclass(frozen=True)
class CandidateFinished:
    """A candidate has ended, one way or another; `score` is None where it has none."""

    name: str
    status: Status
    reason: str
    metric: str
    score: float | None
    seconds: float
    budget_left: float | None


@dataclass(frozen=True)
class BestSoFar:
    """A new best candidate that meets the limits."""

    name: str
    metric: str
    score: float


@dataclass(frozen=True)
class Remark:
    """One sentence a user should read, such as a setting that a family does not honour."""

    text: str


@dataclass(frozen=True)
class Unkept(Remark):
    """What the disk had no room for: the run goes on with it in memory, and one that is killed has to make it again."""


TrainingEvent = CandidateStarted | CandidateFinished | BestSoFar | Remark
Listen = Callable[[TrainingEvent], None]
