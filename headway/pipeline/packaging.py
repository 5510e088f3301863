"""The winner as a package: measured once more as it ships, written, and proven against the trained model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from headway.evaluation.writing.judged import Writing
from headway.models.decoder_graph import TOKENIZER, generation_of, measure_decoder
from headway.package.measuring import Measured, measure
from headway.package.writing import archive_path, write_generator, write_package
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.pipeline.events import Remark
from headway.pipeline.folder import PACKAGE
from headway.pipeline.preparing import HISTORY_FACTS, Prepared
from headway.pipeline.referencing import describe_rows
from headway.pipeline.scoring import Scored
from headway.pipeline.support import base_of_winner
from headway.pipeline.telling import tell
from headway.report.card import model_card
from headway.report.content import ReportContent
from headway.runtime.history.naming import feature_names
from headway.runtime.history.storing import FILE as HISTORY
from headway.runtime.manifest import History, InputColumn, Manifest, Target
from headway.runtime.manifest_json import history_from_json
from headway.tasks import Classify, Part, Several
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
        remembered = load_history(attempt)
        measured = with_history(measure(graph, columns_of(scored.examples.rows.head(MEASURED_ROWS))), remembered)
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
            reference=describe_rows(prepared, competed, scored, history=manifest.history, seed=attempt.project.seed),
            history=None if remembered is None else remembered[1],
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
    remembered = load_history(attempt)
    history = None if remembered is None else remembered[0]
    return Manifest(
        name=attempt.project.name,
        task=task.kind,
        target=prepared.dataset.target,
        inputs=describe_inputs(prepared, history),
        feeds=(),
        labels=task.labels if isinstance(task, Classify) else (),
        targets=tuple(describe_target(part) for part in task.parts) if isinstance(task, Several) else (),
        threshold=None if threshold is None else (threshold.label, threshold.threshold),
        costs=scored.decided.costs,
        winner=competed.tournament.winner,
        metrics=dict(scored.scores.metrics),
        intervals=dict(scored.scores.intervals),
        measured={name: figure for name, figure in measured.figures().items() if not math.isnan(figure)},
        base=base_of_winner(attempt.folder, competed.tournament),
        history=history,
        seed=attempt.project.seed,
    )


def load_history(attempt: Attempt) -> tuple[History, bytes] | None:
    """Return what the package remembers of the past, and the file that holds it; None without a history."""
    facts = attempt.folder.path / HISTORY_FACTS
    if not facts.exists():
        return None
    return history_from_json(facts.read_text(encoding="utf-8")), (attempt.folder.path / HISTORY).read_bytes()


def with_history(measured: Measured, remembered: tuple[History, bytes] | None) -> Measured:
    """Return what was measured of a graph, the size of the past that is packed with it added."""
    if remembered is None:
        return measured
    return replace(measured, size_mb=round(measured.size_mb + len(remembered[1]) / 2**20, 4))


def describe_inputs(prepared: Prepared, history: History | None) -> tuple[InputColumn, ...]:
    """Return the columns a user hands in: what tells of the past is made from them."""
    dataset = prepared.dataset
    told = frozenset() if history is None else frozenset(feature_names(history, dataset.target))
    inputs = [
        describe_input(prepared, column.name, column.modality) for column in dataset.inputs if column.name not in told
    ]
    if history is None:
        return tuple(inputs)
    named = {column.name for column in inputs}
    kinds = {history.time: "date", **dict.fromkeys(history.keys, "category"), **dict.fromkeys(history.values, "number")}
    for name, kind in kinds.items():
        if name not in named:
            example = example_of_past(history, name)
            inputs.append(InputColumn(name, kind, example))  # type: ignore[arg-type]  # a str of the set
    return tuple(inputs)


def example_of_past(history: History, name: str) -> str | float | None:
    """Return a cell of a column that only the history reads; of keys the package knows no names."""
    if name != history.time or history.until is None:
        return None if name in history.keys else 0.0
    return datetime.fromtimestamp(history.until, UTC).strftime("%Y-%m-%d %H:%M:%S")


def describe_target(part: Part) -> Target:
    """Return what the package says about one of several targets."""
    labels = part.task.labels if isinstance(part.task, Classify) else ()
    return Target(part.name, part.task.kind, labels, part.metric)


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
