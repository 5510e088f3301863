"""What the tournament hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from headway.evaluation.calibration import Temperature
from headway.models.family import Curve, Fitted, Settings
from headway.package.graph import Graph

# won: it ships, alone or as a member. ok: it finished. over_limit: it finished and breaks a limit.
# dropped: a clear loser, stopped early. skipped: never started (time, memory, extra, wish). failed: it raised.
Status = Literal["won", "ok", "over_limit", "dropped", "skipped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How one candidate did.

    `metrics` are taken on the validation rows, `answers` are its calibrated answers there: float32 `[n, labels]`,
    `[n]`, or as `Several` says, in the order of the folds' `valid` parts; `calibrations` are that calibration, by the
    output of the graph that each changes. `graph` is the calibrated model of the first fold: latency (ms of one row),
    size and memory (MB) are measured on it through the runtime. `members` are the weights of an ensemble. `fits` is how
    many folds it was trained on (fewer than there are where the time ran out: `answers` then end early), `sample` the
    share of the training rows it saw.
    `row_seconds`: what answering one row among many takes, where that was estimated (0 where it was not).
    `tuning_seconds` is the part of `fit_seconds` that went into settings, which a refit has no need of.
    """

    name: str
    status: Status
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    estimated_seconds: float | None = None
    fit_seconds: float | None = None
    tuning_seconds: float = 0.0
    fits: int = 1
    sample: float = 1.0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    row_seconds: float = 0.0
    size_mb: float | None = None
    memory_mb: float | None = None
    settings: Settings = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    members: Mapping[str, float] = field(default_factory=dict)
    calibrations: Mapping[str, Temperature] = field(default_factory=dict)
    graph: Graph | None = None
    answers: np.ndarray | None = None

    @property
    def finished(self) -> bool:
        """Tell whether it has answers for all validation rows."""
        return self.answers is not None


@dataclass(frozen=True)
class Trial:
    """One candidate's outcome, and what it fitted to all training rows while it chose its settings, if it did."""

    outcome: Outcome
    whole: Fitted | None = None


@dataclass(frozen=True)
class Tournament:
    """All outcomes in the order they ended, and the graph that ships.

    `graph` is the winner refitted on all training rows (`refitted` tells whether there was time for that) and
    calibrated. `answers` are the winner's answers on the validation rows; `expected` is what the trained, not the
    exported, model answers on the first of them (`[at most 256, labels]` or `[...]`; no more than the first fold's
    where it was not refitted), for the parity check.
    """

    outcomes: tuple[Outcome, ...]
    winner: str
    graph: Graph
    metric: str
    refitted: bool
    answers: np.ndarray
    expected: np.ndarray
