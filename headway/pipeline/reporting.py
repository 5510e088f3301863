"""`result.json` for programs and `report.html` for people."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from headway import __version__
from headway.data.dataset import ROW, Dataset, Finding
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.pipeline.folder import REPORT, RESULT, write_json
from headway.pipeline.labels import LABEL_ERRORS, find_doubtful_labels
from headway.pipeline.packaging import Packaged
from headway.pipeline.preparing import REJECTED, Facts, Prepared
from headway.pipeline.result import candidate_row
from headway.pipeline.scoring import Scored
from headway.report.content import Change, ColumnFacts, LabelError, PackageFacts, ReportContent, RowCounts
from headway.report.page import write_report
from headway.tasks import Classify

EXAMPLES = 3
DUPLICATE_STEPS = ("duplicate", "near_duplicate")
# Steps that leave the row where it is.
KEPT_STEPS = ("near_duplicate_grouped",)
LIBRARIES = ("numpy", "onnxruntime", "onnx", "polars", "scikit-learn", "lightgbm", "torch", "tokenizers")
MOST_VALUES = 5000


@dataclass(frozen=True)
class Finished:
    """What the stages before the report have made, and where the rows went."""

    prepared: Prepared
    competed: Competed
    scored: Scored
    packaged: Packaged
    rows: RowCounts


def report_run(
    attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, packaged: Packaged
) -> Mapping[str, Any]:
    """Write the report and, last of all, `result.json`: its presence says that the run went to its end."""
    with attempt.stage("report") as note:
        finished = Finished(prepared, competed, scored, packaged, count_rows(prepared))
        doubtful = find_doubtful_labels(attempt, prepared, competed)
        content = fill_report(attempt, finished, doubtful)
        write_report(attempt.folder.path / REPORT, content, lang=attempt.lang)
        note.text = str(attempt.folder.path / REPORT)
    result = summarise(attempt, finished)
    write_json(attempt.folder.path / RESULT, result)
    return result


def count_rows(prepared: Prepared) -> RowCounts:
    """Return where the rows went, a given test part included."""
    steps = Counter(step for dataset in parts_of(prepared) for step in dataset.changes["step"].to_list())
    duplicates = sum(steps[step] for step in DUPLICATE_STEPS)
    gone = sum(count for step, count in steps.items() if step not in KEPT_STEPS)
    test = len(prepared.split.test) if prepared.test is None else len(prepared.test)
    return RowCounts(
        read=prepared.facts.read,
        rejected=prepared.facts.rejected,
        duplicates=duplicates,
        set_aside=gone - duplicates,
        used=len(prepared.split.train) + test,
        train=len(prepared.split.train),
        test=test,
    )


def parts_of(prepared: Prepared) -> tuple[Dataset, ...]:
    """Return the training part and the given test part."""
    return (prepared.dataset,) if prepared.test is None else (prepared.dataset, prepared.test)


def summarise(attempt: Attempt, finished: Finished) -> dict[str, Any]:
    """Return the content of `result.json`."""
    competed, scored, packaged = finished.competed, finished.scored, finished.packaged
    tournament, scores = competed.tournament, scored.scores
    return {
        "name": attempt.project.name,
        "task": competed.task.kind,
        "target": finished.prepared.dataset.target,
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
            name: getattr(finished.rows, name)
            for name in ("read", "rejected", "duplicates", "set_aside", "used", "train", "test")
        },
        "folds": len(competed.contest.folds),
        "threshold": threshold_row(scored),
        "measured": vars(packaged.measured),
        "limits": dict(competed.contest.limits),
        "candidates": [candidate_row(outcome) for outcome in tournament.outcomes],
        "findings": list(finished.prepared.facts.findings),
        "label_errors": LABEL_ERRORS if (attempt.folder.path / LABEL_ERRORS).exists() else None,
        "seed": attempt.project.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "libraries": library_versions(),
    }


def threshold_row(scored: Scored) -> dict[str, Any] | None:
    """Return the chosen threshold as plain data."""
    threshold = scored.decided.threshold
    return None if threshold is None else {**vars(threshold), "interval": list(threshold.interval)}


def fill_report(attempt: Attempt, finished: Finished, doubtful: tuple[LabelError, ...]) -> ReportContent:
    """Gather everything that the report tells."""
    prepared, competed, scored = finished.prepared, finished.competed, finished.scored
    dataset, project, tournament = prepared.dataset, attempt.project, competed.tournament
    task = competed.task
    winner = next(outcome for outcome in tournament.outcomes if outcome.status == "won")
    regress = not isinstance(task, Classify)
    measured = finished.packaged.measured
    return ReportContent(
        name=project.name,
        task=task.kind,
        target=dataset.target,
        labels=task.labels if isinstance(task, Classify) else (),
        inputs=dataset.inputs,
        rows=finished.rows,
        scores=scored.scores,
        winner=tournament.winner,
        metric=competed.contest.metric,
        outcomes=tournament.outcomes,
        columns=column_facts(prepared.facts, dataset),
        findings=tuple(Finding(**finding) for finding in prepared.facts.findings),
        changes=tuple(list_changes(attempt, prepared)),
        label_errors=doubtful,
        balance=balance_of(prepared),
        values=tuple(float(value) for value in dataset.y[:MOST_VALUES]) if regress else (),
        pairs=pairs_of(scored) if regress else (),
        members=dict(winner.members),
        folds=len(competed.contest.folds),
        threshold=scored.decided.threshold,
        costs=scored.decided.costs,
        limits=project.limits,
        package=PackageFacts(
            path=str(finished.packaged.folder),
            size_mb=measured.size_mb,
            latency_p50_ms=measured.latency_p50_ms,
            latency_p95_ms=measured.latency_p95_ms,
            memory_mb=measured.memory_mb,
            rows_per_second=measured.rows_per_second,
            example=finished.packaged.example,
            answer=finished.packaged.answer,
        ),
        folder=str(project.folder),
        source=project.data,
        created=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        seconds=attempt.watch.seconds,
        budget_seconds=project.budget.time,
        seed=project.seed,
        machine=describe_machine(),
        libraries=library_versions(),
    )


def pairs_of(scored: Scored) -> tuple[tuple[float, float], ...]:
    """Return (actual, predicted) of the first test rows."""
    both = np.stack([scored.examples.y, scored.answers], axis=1)[:MOST_VALUES]
    return tuple((float(actual), float(predicted)) for actual, predicted in both)


def column_facts(facts: Facts, dataset: Dataset) -> tuple[ColumnFacts, ...]:
    """Return one line per column of the source, the ones left out with their reason."""
    guesses = {guess["column"]: guess for guess in facts.guesses}
    lines = []
    for column in dataset.inputs:
        cells = dataset.rows[column.name]
        lines.append(
            ColumnFacts(
                column.name,
                column.modality,
                missing=cells.null_count() / max(1, len(cells)),
                distinct=None if cells.dtype == pl.Binary else cells.n_unique(),
                note=str(guesses.get(column.name, {}).get("reason", "")),
            )
        )
    left_out = [guess for guess in facts.guesses if not guess["use"]]
    ignored = [
        ColumnFacts(guess["column"], guess["modality"] or "", note=guess["reason"], role="ignored")
        for guess in left_out
    ]
    return (*lines, *ignored)


def list_changes(attempt: Attempt, prepared: Prepared) -> Iterator[Change]:
    """Yield what was rejected and what cleaning changed, by reason, with examples."""
    rejected = pl.read_parquet(attempt.folder.path / REJECTED)
    for (reason,), group in rejected.group_by("reason", maintain_order=True):
        examples = group.head(EXAMPLES).select("file", "row", "column", "value").to_dicts()
        yield Change("rejected", str(reason), group.height, tuple(examples))
    for dataset in parts_of(prepared):
        for (step,), group in dataset.changes.group_by("step", maintain_order=True):
            reasons = Counter(group["reason"].to_list()).most_common(EXAMPLES)
            examples = group.head(EXAMPLES).select(ROW, "partner", "reason").to_dicts()
            yield Change(str(step), reasons[0][0], group.height, tuple(examples))


def balance_of(prepared: Prepared) -> dict[str, int]:
    """Return how many used rows each label has."""
    dataset = prepared.dataset
    if dataset.task != "classify":
        return {}
    counts = np.bincount(dataset.y, minlength=len(dataset.labels))
    return {str(label): int(count) for label, count in zip(dataset.labels, counts, strict=True)}


def describe_machine() -> str:
    """Return the machine in one line."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that a result depends on."""
    versions = {"headway": __version__}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def read_result(folder: Path) -> dict[str, Any]:
    """Return the content of a finished run's `result.json`."""
    return dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
