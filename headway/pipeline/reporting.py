"""`result.json` for programs and `report.html` for people."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.evaluation.scores import Scores
from headway.pipeline.attempt import Attempt, Lang
from headway.pipeline.competing import Competed
from headway.pipeline.compressing import Compressed, compression_of, compression_row, load_compression
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
from headway.pipeline.labels import LABEL_ERRORS
from headway.pipeline.packaging import Packaged
from headway.pipeline.reopening import read_result, reopen
from headway.pipeline.result import candidate_row
from headway.pipeline.scoring import Scored
from headway.pipeline.sourcing import draws_pictures
from headway.pipeline.telling import tell
from headway.pipeline.writing import describe_writing
from headway.report.content import Bought
from headway.report.page import write_report
from headway.tasks import Classify, Several, Task


def report_run(
    attempt: Attempt, competed: Competed, scored: Scored, packaged: Packaged, compressed: Compressed | None
) -> Mapping[str, Any]:
    """Write the report and, last of all, `result.json`: its presence says that the run went to its end."""
    with attempt.stage("report") as note:
        told = None if compressed is None else compression_of(compressed)
        content = replace(packaged.content, seconds=attempt.watch.seconds, compression=told)
        write_report(attempt.folder.path / REPORT, content, lang=attempt.lang)
        note.text = str(attempt.folder.path / REPORT)
    result = summarise(attempt, competed, scored, packaged)
    result["compression"] = None if compressed is None else compression_row(compressed, attempt.folder.path)
    write_json(attempt.folder.path / RESULT, result)
    return result


def report_again(path: Path, *, lang: Lang) -> Path:
    """Write the report of a finished run once more, in another language if wanted, and return its path.

    Raises `RunError` for a folder that is no finished run.
    """
    folder = open_run_folder(follow_latest(path))
    if folder.finished and draws_pictures(read_project(folder)):
        from headway.pipeline.pictures.running import report_pictures_again

        result = read_result(folder.path)
        quiet = Attempt(read_project(folder), folder, Stopwatch(result["seconds"]), lang, ignore)
        return report_pictures_again(quiet, result)
    run = reopen(path, lang=lang)
    place = run.attempt.folder.path
    content = tell(run.attempt, run.prepared, run.competed, run.scored, run.measured)
    told = replace(content, seconds=run.result["seconds"], compression=load_compression(place))
    return write_report(place / REPORT, told, lang=lang)


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
        "targets": describe_targets(competed.task, scores),
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
        "writing": None if scored.writing is None else describe_writing(scored.writing),
        "augmented": augmented_row(attempt),
        "findings": [vars(finding) for finding in content.findings],
        "label_errors": LABEL_ERRORS if (attempt.folder.path / LABEL_ERRORS).exists() else None,
        "seed": attempt.project.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": content.machine,
        "libraries": dict(content.libraries),
    }


def describe_targets(task: Task, scores: Scores) -> dict[str, Any]:
    """Return what there is to tell of each of several targets by its name; nothing of a single one."""
    if not isinstance(task, Several):
        return {}
    found = {}
    for part in task.parts:
        own = scores.targets.get(part.name)
        labels = part.task.labels if isinstance(part.task, Classify) else ()
        found[part.name] = {
            "task": part.task.kind,
            "labels": list(labels),
            "metric": part.metric,
            "rows": 0 if own is None else own.rows,
            "metrics": {} if own is None else dict(own.metrics),
            "intervals": {} if own is None else {name: list(ends) for name, ends in own.intervals.items()},
            "per_class": {} if own is None else {label: dict(each) for label, each in own.per_class.items()},
        }
    return found


def augmented_row(attempt: Attempt) -> dict[str, Any] | None:
    """Return what drawn pictures did for the training, None where the project asks for none."""
    if attempt.project.augment is None:
        return None
    from headway.pipeline.pictures.augmenting import AUGMENTED, load_augmented

    found = load_augmented(attempt.folder.path / AUGMENTED)
    if found is None:
        return None
    return {**vars(found), "labels": len(found.labels), "kept": found.is_kept}


def threshold_row(scored: Scored) -> dict[str, Any] | None:
    """Return the chosen threshold as plain data."""
    threshold = scored.decided.threshold
    return None if threshold is None else {**vars(threshold), "interval": list(threshold.interval)}


def bought_row(bought: Bought | None) -> dict[str, Any] | None:
    """Return what a pretrained model bought as plain data, without the rows themselves."""
    if bought is None:
        return None
    return {name: value for name, value in vars(bought).items() if name != "examples"}
