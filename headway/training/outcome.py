"""What the tournament hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from headway.models.family import Curve, Settings
from headway.package.graph import Graph

# won: it ships. ok: it finished. over_limit: it finished and breaks a limit. dropped: a clear loser, stopped early.
# skipped: never started (time, memory, extra, wish). failed: it raised; the reason says what.
Status = Literal["won", "ok", "over_limit", "dropped", "skipped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How one candidate did. `valid`: its answers on the validation rows, calibrated, `[n, labels]` or `[n]`."""

    name: str
    status: Status
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    estimated_seconds: float | None = None
    fit_seconds: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    size_mb: float | None = None
    memory_mb: float | None = None
    settings: Settings = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    graph: Graph | None = None
    valid: np.ndarray | None = None


@dataclass(frozen=True)
class Tournament:
    """All outcomes, cheapest first, and the graph that ships (refitted on all training rows, calibrated)."""

    outcomes: tuple[Outcome, ...]
    winner: str
    graph: Graph
    metric: str
    members: Mapping[str, float] = field(default_factory=dict)
