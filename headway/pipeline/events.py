"""What a run tells whoever listens, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headway.training.events import BestSoFar, CandidateFinished, CandidateStarted, Remark, TrainingEvent, Unkept

STAGES = ("read", "clean", "split", "tournament", "evaluate", "package", "compress", "report")


@dataclass(frozen=True)
class RunStarted:
    """A run has a folder, the first thing to know: it is what `--resume` needs after an interruption."""

    folder: Path


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `budget_left` in seconds, None without a budget."""

    name: str
    budget_left: float | None


@dataclass(frozen=True)
class StageFinished:
    """A stage has ended; `note` is one short sentence of what it found. `resumed`: it was taken from an earlier run."""

    name: str
    seconds: float
    note: str
    resumed: bool = False


@dataclass(frozen=True)
class VariantTried:
    """One way of making the package smaller has been tried; see `headway.compression.verdict.Verdict`."""

    name: str
    status: str
    reason: str


Event = VariantTried | RunStarted | StageStarted | StageFinished | TrainingEvent
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


__all__ = [
    "STAGES",
    "BestSoFar",
    "CandidateFinished",
    "CandidateStarted",
    "Event",
    "Listener",
    "Remark",
    "RunStarted",
    "StageFinished",
    "StageStarted",
    "Unkept",
    "VariantTried",
    "ignore",
]
