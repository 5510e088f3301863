"""`result.json` for programs and `report.html` for people."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.pipeline.folder import REPORT, RESULT, write_json
from headway.pipeline.labels import LABEL_ERRORS
from headway.pipeline.packaging import Packaged
from headway.pipeline.result import candidate_row
from headway.pipeline.scoring import Scored
from headway.report.page import write_report


def report_run(attempt: Attempt, competed: Competed, scored: Scored, packaged: Packaged) -> Mapping[str, Any]:
    """Write the report and, last of all, `result.json`: its presence says that the run went to its end."""
    with attempt.stage("report") as note:
        content = replace(packaged.content, seconds=attempt.watch.seconds)
        write_report(attempt.folder.path / REPORT, content, lang=attempt.lang)
        note.text = str(attempt.folder.path / REPORT)
    result = summarise(attempt, competed, scored, packaged)
    write_json(attempt.folder.path / RESULT, result)
    return result


def summarise(attempt: Attempt, competed: Competed, scored: Scored, packaged: Packaged) -> dict[str, Any]:
    """Return the content of `result.json`."""
    tournament, scores, content = competed.tournament, scored.scores, packaged.content
    return {
        "name": attempt.project.name,
        "task": competed.task.kind,
        "target": content.target,
        "winner": tournament.winner,
        "metric": competed.contest.metric,
        "metrics": dict(scores.metrics),
        "intervals": {name: list(interval) for name, interval in scores.intervals.items()},
        "per_class": {label: dict(figures) for label, figures in scores.per_class.items()},
        "seconds": round(attempt.watch.seconds, 3),
        "budget_seconds": attempt.project.budget.time,
        "package": os.path.relpath(packaged.folder, attempt.folder.path),
        "archive": os.path.relpath(packaged.archive, attempt.folder.path),
        "report": REPORT,
        "refitted": tournament.refitted,
        "rows": {
            name: getattr(content.rows, name)
            for name in ("read", "rejected", "duplicates", "set_aside", "used", "train", "test")
        },
        "folds": len(competed.contest.folds),
        "threshold": threshold_row(scored),
        "measured": vars(packaged.measured),
        "limits": dict(competed.contest.limits),
        "candidates": [candidate_row(outcome) for outcome in tournament.outcomes],
        "findings": [vars(finding) for finding in content.findings],
        "label_errors": LABEL_ERRORS if (attempt.folder.path / LABEL_ERRORS).exists() else None,
        "seed": attempt.project.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": content.machine,
        "libraries": dict(content.libraries),
    }


def threshold_row(scored: Scored) -> dict[str, Any] | None:
    """Return the chosen threshold as plain data."""
    threshold = scored.decided.threshold
    return None if threshold is None else {**vars(threshold), "interval": list(threshold.interval)}


def read_result(folder: Path) -> dict[str, Any]:
    """Return the content of a finished run's `result.json`."""
    return dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
