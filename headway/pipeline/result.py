"""`result.json`: a whole run in one file that a program can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.training.outcome import Outcome


@dataclass(frozen=True)
class RunResult:
    """A finished run: its folder, its package, its report, and the content of its `result.json`."""

    folder: Path
    package: Path
    report: Path
    result: Mapping[str, Any]


def candidate_row(outcome: Outcome) -> dict[str, Any]:
    """Return one candidate's line of `result.json`."""
    return {
        "name": outcome.name,
        "status": outcome.status,
        "reason": outcome.reason,
        "metrics": dict(outcome.metrics),
        "estimated_seconds": outcome.estimated_seconds,
        "fit_seconds": outcome.fit_seconds,
        "latency_p50_ms": outcome.latency_p50_ms,
        "latency_p95_ms": outcome.latency_p95_ms,
        "size_mb": outcome.size_mb,
        "memory_mb": outcome.memory_mb,
        "settings": dict(outcome.settings),
        "members": dict(outcome.members),
    }
