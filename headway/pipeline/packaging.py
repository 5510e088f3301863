"""The winner as a package: measured once more as it ships, written, and proven against the trained model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from headway.evaluation.decisions import decide
from headway.evaluation.drift.building import build_reference
from headway.evaluation.drift.storing import reference_to_json
from headway.evaluation.writing.judged import Writing
from headway.models.decoder_graph import TOKENIZER, generation_of, measure_decoder
from headway.package.measuring import Measured, measure
from headway.package.writing import archive_path, write_generator, write_package
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.pipeline.events import Remark
from headway.pipeline.folder import PACKAGE
from headway.pipeline.preparing import Prepared
from headway.pipeline.scoring import Scored
from headway.pipeline.support import base_of_winner
from headway.pipeline.telling import tell
from headway.report.card import model_card
from headway.report.content import ReportContent
from headway.runtime.manifest import InputColumn, Manifest
from headway.tasks import Classify
from headway.training.trial import MEASURED_ROWS, columns_of

MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Packaged:
    """The package folder, its one-file form, what was measured on it, and all that the report will tell."""

    folder: Path
    archive: Path
    measured: Measured
    content: ReportContent


def package_winner(attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored) -> Packaged:
    """Measure the graph that ships and write it; a graph that disagrees with the trained model is not written."""
    if scored.writing is not None:
        return package_writer(attempt, prepared, competed, scored, scored.writing)
    with attempt.stage("package") as note:
        graph, contest = competed.tournament.graph, competed.contest
        measured = measure(graph, columns_of(scored.examples.rows.head(MEASURED_ROWS)))
        tell_of_limits(attempt, competed, measured)
        manifest = describe(attempt, prepared, competed, scored, measured)
        folder = attempt.folder.path / PACKAGE
        rows = contest.examples.rows[contest.valid[: len(competed.tournament.expected)]]
        content = tell(attempt, prepared, competed, scored, measured)
        write_package(
            folder,
            graph,
            manifest,
            card=model_card(content),
            columns=columns_of(rows),
            expected=competed.tournament.expected,
            reference=describe_rows(prepared, competed, scored, seed=attempt.project.seed),
        )
        note.text = f"{measured.size_mb:.1f} MB, {measured.latency_p50_ms:.2f} ms a row"
    return Packaged(folder, archive_path(folder, manifest.name), measured, content)


def package_writer(
    attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, writing: Writing
) -> Packaged:
    """Measure the decoder that ships and write it with its tokenizer; it was proven in the tournament."""
    with attempt.stage("package") as note:
        graph = competed.tournament.graph
        measured = measure_decoder(graph)
        tell_of_limits(attempt, competed, measured)
        told = describe(attempt, prepared, competed, scored, measured)
        facts = generation_of(graph, lengths=writing.lengths)
        manifest = replace(told, inputs=(), generation=facts, measured={**told.measured, **writing.proof})
        folder = attempt.folder.path / PACKAGE
        content = tell(attempt, prepared, competed, scored, measured)
        write_generator(folder, graph.onnx, graph.files[TOKENIZER], manifest, card=model_card(content))
        note.text = f"{measured.size_mb:.1f} MB, {measured.latency_p50_ms:.2f} ms a token"
    return Packaged(folder, archive_path(folder, manifest.name), measured, content)


def describe(attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, measured: Measured) -> Manifest:
    """Return what the package says about itself."""
    task = competed.task
    threshold = scored.decided.threshold
    return Manifest(
        name=attempt.project.name,
        task=task.kind,
        target=prepared.dataset.target,
        inputs=tuple(describe_input(prepared, column.name, column.modality) for column in prepared.dataset.inputs),
        feeds=(),
        labels=task.labels if isinstance(task, Classify) else (),
        threshold=None if threshold is None else (threshold.label, threshold.threshold),
        costs=scored.decided.costs,
        winner=competed.tournament.winner,
        metrics=dict(scored.scores.metrics),
        intervals=dict(scored.scores.intervals),
        measured={name: figure for name, figure in measured.figures().items() if not math.isnan(figure)},
        base=base_of_winner(attempt.folder, competed.tournament),
        seed=attempt.project.seed,
    )


def describe_rows(prepared: Prepared, competed: Competed, scored: Scored, *, seed: int) -> bytes:
    """Return what later rows will be compared with: counts of the training rows and of the answers to the test rows."""
    contest, task = competed.contest, competed.task
    classify = isinstance(task, Classify)
    answers: list[object] = scored.answers.tolist()
    confidence, truths = None, scored.examples.y.tolist()
    if isinstance(task, Classify):
        chosen = decide(scored.answers, threshold=scored.decided.position(task), costs=scored.decided.costs)
        answers, truths = [task.labels[index] for index in chosen], [task.labels[index] for index in truths]
        confidence = scored.answers[range(len(chosen)), chosen].tolist()
    watched = {column.name: column.modality for column in prepared.dataset.inputs if column.modality != "audio"}
    reference = build_reference(
        {name: contest.examples.rows[name].to_list() for name in watched},
        watched,
        task="classify" if classify else "regress",
        predictions=answers,
        confidence=confidence,
        truths=truths,
        seed=seed,
    )
    return reference_to_json(reference)


def describe_input(prepared: Prepared, name: str, modality: str) -> InputColumn:
    """Return an input column with a real example, and its values where they are few."""
    cells = prepared.dataset.rows[name].drop_nulls()
    categories: tuple[str, ...] = ()
    if modality == "category":
        counts = cells.value_counts(sort=True)
        categories = tuple(counts[name].head(MOST_CATEGORIES).to_list()) if counts.height <= MOST_CATEGORIES else ()
    return InputColumn(name, modality, example_cell(cells), categories)  # type: ignore[arg-type]  # a str of the set


def example_cell(cells: pl.Series) -> str | float | None:
    """Return the first cell as JSON can hold it; pictures have no example."""
    if cells.is_empty() or cells.dtype == pl.Binary:
        return None
    cell = cells[0]
    return cell if isinstance(cell, float | str) else str(cell)


def tell_of_limits(attempt: Attempt, competed: Competed, measured: Measured) -> None:
    """Say so where the refitted model needs more than the candidate that was chosen under the limits."""
    for name, ceiling in competed.contest.limits.items():
        value = getattr(measured, name)
        if value is not None and value > ceiling:
            attempt.listen(Remark(f"measured on what ships, {name} is {value:.3g}, over the limit of {ceiling:g}"))
