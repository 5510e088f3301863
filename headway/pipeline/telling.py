"""Everything a run has to tell, gathered for the report and the model card."""

from __future__ import annotations

import math
import os
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import polars as pl

from headway import __version__
from headway.data.dataset import Column, Dataset
from headway.evaluation.decisions import decide
from headway.package.measuring import Measured
from headway.pipeline.attempt import Attempt
from headway.pipeline.bought import tell_what_was_bought
from headway.pipeline.competing import Competed
from headway.pipeline.folder import PACKAGE
from headway.pipeline.labels import find_doubtful_labels
from headway.pipeline.preparing import CHANGES, KEPT_STEPS, REJECTED, Prepared
from headway.pipeline.scoring import Decided, Scored
from headway.pipeline.support import base_of_winner, kinds_of_bases
from headway.report.content import Change, PackageFacts, ReportContent, RowCounts
from headway.report.filling import fill_changes, fill_columns
from headway.runtime.manifest import Label
from headway.tasks import Classify, Regress, Several, Task

DUPLICATE_STEPS = ("duplicate", "near_duplicate")
LIBRARIES = ("numpy", "onnxruntime", "onnx", "polars", "scikit-learn", "lightgbm", "torch", "tokenizers")
MOST_VALUES = 5000


def tell(
    attempt: Attempt,
    prepared: Prepared,
    competed: Competed,
    scored: Scored,
    measured: Measured,
    *,
    path: str = PACKAGE,
) -> ReportContent:
    """Gather everything that the report tells; `path` is the package's, inside the run folder."""
    dataset, project, tournament = prepared.dataset, attempt.project, competed.tournament
    task = competed.task
    winner = next(outcome for outcome in tournament.outcomes if outcome.status == "won")
    regress = isinstance(task, Regress)
    content = ReportContent(
        name=project.name,
        task=task.kind,
        target=dataset.target,
        labels=task.labels if isinstance(task, Classify) else (),
        inputs=dataset.inputs,
        rows=count_rows(prepared),
        scores=scored.scores,
        winner=tournament.winner,
        metric=competed.contest.metric,
        outcomes=tournament.outcomes,
        label_errors=find_doubtful_labels(attempt, prepared, competed),
        balance=balance_of(prepared),
        values=tuple(float(value) for value in dataset.y[:MOST_VALUES]) if regress else (),
        pairs=pairs_of(scored) if regress else (),
        writing=scored.writing,
        members=dict(winner.members),
        base=base_of_winner(attempt.folder, tournament) or {},
        bought=tell_what_was_bought(competed, dataset, kinds_of_bases(attempt.folder)),
        folds=len(competed.contest.folds),
        threshold=scored.decided.threshold,
        costs=scored.decided.costs,
        package=replace(
            package_facts(path, measured),
            example=first_example(prepared, scored),
            answer=first_answer(competed, scored),
            writes=scored.writing is not None,
            targets=tuple(part.name for part in task.parts) if isinstance(task, Several) else (),
        ),
    )
    content = with_circumstances(content, attempt, prepared)
    if not isinstance(task, Several):
        return content
    # Of a number that one test row has, or that is the same in all of them, there is nothing to say.
    told = [name for name, own in scored.scores.targets.items() if own.task == "classify" or "r2" in own.metrics]
    places = [place for place, part in enumerate(task.parts) if part.name in told]
    return replace(content, parts=tuple(tell_part(content, prepared, scored, task, place) for place in places))


def with_circumstances(content: ReportContent, attempt: Attempt, prepared: Prepared) -> ReportContent:
    """Add what is told of every run, whatever it made: its data, its project, its machine."""
    project, seen = attempt.project, prepared.facts.profile
    return replace(
        content,
        columns=fill_columns(seen, attempt.lang),
        findings=seen.findings,
        changes=list_changes(attempt, prepared),
        limits=project.limits,
        remarks=tuple(attempt.remarks),
        folder=str(project.folder),
        source=name_source(project.data),
        created=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        seconds=attempt.watch.seconds,
        budget_seconds=project.budget.time,
        seed=project.seed,
        machine=describe_machine(),
        libraries=library_versions(),
    )


def package_facts(path: str, measured: Measured) -> PackageFacts:
    """Return the package that ships, without an example."""
    return PackageFacts(
        path=path,
        size_mb=measured.size_mb,
        latency_p50_ms=measured.latency_p50_ms,
        latency_p95_ms=measured.latency_p95_ms,
        memory_mb=None if math.isnan(measured.memory_mb) else measured.memory_mb,
        rows_per_second=measured.rows_per_second,
    )


def tell_part(content: ReportContent, prepared: Prepared, scored: Scored, task: Several, place: int) -> ReportContent:
    """Return what is told of one of several targets as if it were the only one."""
    part = task.parts[place]
    _, used = task.known(prepared.dataset.y, place)
    rows, truth = task.known(scored.examples.y, place)
    labels = part.task.labels if isinstance(part.task, Classify) else ()
    counts = np.bincount(used, minlength=len(labels)).tolist() if labels else []
    answers = task.answers(scored.answers[rows], place)
    return replace(
        content,
        task=part.task.kind,
        target=part.name,
        labels=labels,
        scores=scored.scores.targets[part.name],
        metric=part.metric,
        balance=dict(zip(map(str, labels), counts, strict=True)),
        values=() if labels else tuple(float(value) for value in used[:MOST_VALUES]),
        pairs=() if labels else pair_up(truth, answers),
        label_errors=(),
        bought=None,
        is_part=True,
    )


def name_source(data: str) -> str:
    """Return what the data is called: the name of a file or a folder, but not where it lies on this machine.

    A URL loses the user and the password in it.
    """
    if "://" not in data:
        return Path(data).name or data
    parts = urlsplit(data)
    if parts.scheme == "sqlite":
        return urlunsplit(("", "", Path(parts.path).name, parts.query, ""))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def name_images(row: Mapping[str, object], inputs: tuple[Column, ...]) -> dict[str, object]:
    """Return a row whose images are named without the folder they lie in."""
    images = {column.name for column in inputs if column.modality == "image"}
    return {name: Path(cell).name if name in images and isinstance(cell, str) else cell for name, cell in row.items()}


def pairs_of(scored: Scored) -> tuple[tuple[float, float], ...]:
    """Return (actual, predicted) of the first test rows."""
    return pair_up(scored.examples.y, scored.answers)


def pair_up(truth: np.ndarray, answers: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Return (actual, predicted) of the first rows."""
    both = np.stack([truth, answers], axis=1)[:MOST_VALUES]
    return tuple((float(actual), float(predicted)) for actual, predicted in both)


def list_changes(attempt: Attempt, prepared: Prepared) -> tuple[Change, ...]:
    """Return what was rejected and what cleaning changed, by reason, with examples."""
    changes = pl.read_parquet(attempt.folder.path / CHANGES)
    rejected = pl.read_parquet(attempt.folder.path / REJECTED)
    found: tuple[Change, ...] = ()
    for _, rows in changes.group_by("part", maintain_order=True):
        found += fill_changes(rows, prepared.dataset.inputs, rows, rejected.clear())
    return found + fill_changes(changes, prepared.dataset.inputs, changes.clear(), rejected)


def balance_of(prepared: Prepared) -> dict[str, int]:
    """Return how many used rows each label has."""
    dataset = prepared.dataset
    if dataset.task != "classify":
        return {}
    counts = np.bincount(dataset.y, minlength=len(dataset.labels))
    return {str(label): int(count) for label, count in zip(dataset.labels, counts, strict=True)}


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


def plain_row(rows: pl.DataFrame) -> dict[str, object]:
    """Return the first row as plain cells."""
    return rows.row(0, named=True) if rows.height else {}


def first_example(prepared: Prepared, scored: Scored) -> dict[str, object]:
    """Return the first test row, or the first prompt of a model that writes."""
    if scored.writing is not None:
        return {"prompt": scored.writing.samples[0].prompt}
    return name_images(plain_row(scored.examples.rows), prepared.dataset.inputs)


def first_answer(competed: Competed, scored: Scored) -> dict[str, object]:
    """Return the answer to the first test row as `predict` gives it."""
    if not len(scored.answers):
        return {}
    task = competed.task
    if scored.writing is not None:
        return {"text": scored.writing.samples[0].written}
    if isinstance(task, Several):
        row = scored.answers[:1]
        return {
            part.name: plain_answer(task.answers(row, place), part.task, Decided())
            for place, part in enumerate(task.parts)
        }
    return plain_answer(scored.answers[:1], task, scored.decided)


def plain_answer(row: np.ndarray, task: Task, decided: Decided) -> dict[str, object]:
    """Return the answer of one row (`[1, labels]`, or `[1]`) as `predict` gives it."""
    if not isinstance(task, Classify):
        return {"prediction": float(row[0])}
    chosen = int(decide(row, threshold=decided.position(task), costs=decided.costs)[0])
    label: Label = task.labels[chosen]
    return {"prediction": label, "confidence": round(float(row[0, chosen]), 4)}


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
