"""`result.json` for programs and `report.html` for people."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.errors import RunError
from headway.package.measuring import Measured
from headway.pipeline.attempt import Attempt, Lang
from headway.pipeline.competing import Competed, hold_tournament
from headway.pipeline.events import ignore
from headway.pipeline.folder import (
    REPORT,
    RESULT,
    Stopwatch,
    follow_latest,
    open_run_folder,
    read_project,
    write_json,
)
from headway.pipeline.labels import LABEL_ERRORS, settle_labels
from headway.pipeline.packaging import Packaged
from headway.pipeline.preparing import prepare
from headway.pipeline.result import candidate_row
from headway.pipeline.scoring import Scored, score
from headway.pipeline.telling import tell
from headway.report.content import Bought
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


def report_again(path: Path, *, lang: Lang) -> Path:
    """Write the report of a finished run once more, in another language if wanted, and return its path.

    Raises `RunError` for a folder that is no finished run.
    """
    folder = open_run_folder(follow_latest(path))
    if not folder.finished:
        raise RunError("this run is not finished", where=str(path), fix=f"headway run --resume {folder.path}")
    result = read_result(folder.path)
    attempt = Attempt(read_project(folder), folder, Stopwatch(result["seconds"]), lang, ignore)
    prepared = settle_labels(attempt, prepare(attempt))
    competed = hold_tournament(attempt, prepared)
    scored = score(attempt, prepared, competed)
    content = tell(attempt, prepared, competed, scored, Measured(**result["measured"]))
    return write_report(folder.path / REPORT, replace(content, seconds=result["seconds"]), lang=lang)


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
        "base": dict(content.base) or None,
        "bought": bought_row(content.bought),
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


def bought_row(bought: Bought | None) -> dict[str, Any] | None:
    """Return what a pretrained model bought as plain data, without the rows themselves."""
    if bought is None:
        return None
    return {name: value for name, value in vars(bought).items() if name != "examples"}


def read_result(folder: Path) -> dict[str, Any]:
    """Return the content of a finished run's `result.json`."""
    return dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
