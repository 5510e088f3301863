"""A run that draws, from the clean pictures to the report."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.evaluation.pictures.judged import DISTANCE
from headway.package.measuring import Measured
from headway.pipeline.attempt import Attempt
from headway.pipeline.folder import REPORT, RESULT, SCRATCH, write_json
from headway.pipeline.pictures.judging import Judged, judge_painting
from headway.pipeline.pictures.packaging import PackagedPainting, package_painting
from headway.pipeline.pictures.painting import GAN, paint
from headway.pipeline.pictures.storage import Painting
from headway.pipeline.pictures.telling import describe_drawing, outcome_of, tell_pictures
from headway.pipeline.preparing import Prepared, prepare
from headway.pipeline.result import RunResult, candidate_row
from headway.report.page import write_report


def run_pictures(attempt: Attempt) -> RunResult:
    """Go through the stages; what an earlier, killed attempt has finished is taken as it is."""
    prepared = prepare(attempt)
    painting = paint(attempt, prepared)
    judged = judge_painting(attempt, prepared, painting)
    package = package_painting(attempt, prepared, painting, judged)
    folder = attempt.folder.path
    with attempt.stage("report") as note:
        content = replace(package.content, seconds=attempt.watch.seconds)
        write_report(folder / REPORT, content, lang=attempt.lang)
        note.text = str(folder / REPORT)
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    result = summarise_pictures(attempt, prepared, painting, judged, package)
    write_json(folder / RESULT, result)
    return RunResult(folder, package.folder, folder / REPORT, result)


def report_pictures_again(attempt: Attempt, result: dict[str, Any]) -> Path:
    """Write the report of a finished run once more; its pictures are drawn and judged again, from the same seed."""
    prepared = prepare(attempt)
    painting = paint(attempt, prepared)
    judged = judge_painting(attempt, prepared, painting)
    content = tell_pictures(attempt, prepared, painting, judged, Measured(**result["measured"]))
    told = replace(content, seconds=result["seconds"])
    return write_report(attempt.folder.path / REPORT, told, lang=attempt.lang)


def summarise_pictures(
    attempt: Attempt, prepared: Prepared, painting: Painting, judged: Judged, packaged: PackagedPainting
) -> dict[str, Any]:
    """Return the content of `result.json`."""
    folder, content = attempt.folder.path, packaged.content
    return {
        "name": attempt.project.name,
        "task": "generate",
        "target": content.target,
        "labels": [str(label) for label in painting.labels],
        "winner": GAN,
        "metric": DISTANCE,
        "metrics": dict(judged.scores.metrics),
        "intervals": {},
        "per_class": {},
        "seconds": round(attempt.watch.seconds, 3),
        "budget_seconds": attempt.project.budget.time,
        "package": os.path.relpath(packaged.folder, folder),
        "archive": os.path.relpath(packaged.archive, folder),
        "report": REPORT,
        "refitted": False,
        "rows": {
            name: getattr(content.rows, name)
            for name in ("read", "rejected", "duplicates", "set_aside", "used", "train", "test")
        },
        "folds": 1,
        "threshold": None,
        "measured": vars(packaged.measured),
        "base": None,
        "bought": None,
        "limits": {},
        "candidates": [candidate_row(outcome_of(painting, packaged.measured))],
        "writing": None,
        "drawing": describe_drawing(judged.drawing),
        "findings": [vars(finding) for finding in prepared.facts.profile.findings],
        "label_errors": None,
        "compression": None,
        "seed": attempt.project.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": content.machine,
        "libraries": dict(content.libraries),
    }
