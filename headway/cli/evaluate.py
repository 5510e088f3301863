"""`headway evaluate`: how good a package is on rows with known answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.messages import Language, call_metric, choose_language, say, say_count
from headway.errors import DataError

if TYPE_CHECKING:
    from headway.data.dataset import Table
    from headway.evaluation.scores import Scores
    from headway.runtime import Model

_SHOWN = 5


def evaluate(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows with the target column.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Score a package on the rows of FILE, which must have the target column."""
    from headway import runtime
    from headway.cli.places import find_package
    from headway.data.reading import read
    from headway.report.translation import translate

    model, language = runtime.load(find_package(package)), choose_language(lang)
    table = read(file)
    scores, unusable = score_table(model, table, language=language)
    result = describe(scores, table, unusable)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    for reason, count in unusable.items():
        words = say("evaluate:left_out", language)
        rows = say_count(count, "row", language)
        typer.echo(words.format(rows=rows, reason=translate(reason, language)), err=True)
    typer.echo(say_count(scores.rows, "row", language))
    for line in list_figures(scores, language):
        typer.echo(f"  {line}")


def list_figures(scores: Scores, language: Language) -> list[str]:
    """Return the metrics with their intervals, one a line, aligned."""
    from rich.cells import cell_len, set_cell_size

    names = {name: call_metric(name, language) for name in scores.metrics}
    width = max(map(cell_len, names.values()))
    lines = []
    for name, value in scores.metrics.items():
        low_high = scores.intervals.get(name)
        words = say("interval", language)
        interval = "   " + words.format(low=f"{low_high[0]:.4f}", high=f"{low_high[1]:.4f}") if low_high else ""
        lines.append(f"{set_cell_size(names[name], width)}  {value:.4f}{interval}")
    return lines


def score_table(model: Model, table: Table, *, language: Language = "en") -> tuple[Scores, Mapping[str, int]]:
    """Score a model on a table; also return how many rows were left out, by reason.

    Raises `DataError` where the table has no target column or no row with a label that the model knows.
    """
    import numpy as np

    from headway.cli.answers import predict_rows
    from headway.cli.history import follow
    from headway.cli.target import check_target
    from headway.data.casting import cast_column
    from headway.data.dataset import Column
    from headway.data.targets import read_target
    from headway.evaluation.scoring import evaluate as score
    from headway.report.translation import translate
    from headway.tasks import Classify, Regress

    manifest = model.manifest
    assert manifest.task != "generate"  # the runtime opens no such package as a model
    target = read_target(
        table.rows[check_target(table.rows, manifest.target, where="the target of the package")],
        model.task,
        labels=manifest.labels or (),
    )
    keep = np.setdiff1d(np.arange(table.rows.height), target.faults)
    unusable: dict[str, int] = {}
    for reason in target.reasons:
        unusable[reason] = unusable.get(reason, 0) + 1
    if len(keep) == 0:
        got = "; ".join([*list(unusable)[:_SHOWN], *(["..."] if len(unusable) > _SHOWN else [])])
        raise DataError("no row can be scored", expected=f"known values in the column {manifest.target}", got=got)
    # Rows that cannot be scored are still the past of others.
    rows = follow([table.rows], model).batches[0][keep]
    answers = predict_rows(model, rows, strict=False)
    # Slices need numbers and dates as such; a CSV file gives texts.
    cast = [
        cast_column(rows[column.name], column.modality)
        for column in manifest.inputs
        if column.modality in {"number", "date"}
    ]
    for column in cast:
        if len(column.faults):
            words = say("evaluate:missing", language).format(
                cells=say_count(len(column.faults), "cell", language),
                reason=translate(column.reason, language),
                column=column.series.name,
            )
            typer.echo(words, err=True)
    typed = rows.with_columns(column.series for column in cast)
    labels = manifest.labels
    threshold = manifest.threshold
    scores = score(
        target.y[keep],
        answers.predictions if answers.probabilities is None else answers.probabilities,
        Regress() if manifest.task == "regress" else Classify(labels),
        rows=typed,
        inputs=tuple(Column(column.name, column.modality) for column in manifest.inputs),
        threshold=None if threshold is None else (labels.index(threshold[0]), threshold[1]),
        costs=manifest.costs,
        seed=manifest.seed,
    )
    return scores, unusable


def describe(scores: Scores, table: Table, unusable: Mapping[str, int]) -> dict[str, Any]:
    """Return the scores as plain data for JSON."""
    return {
        "task": scores.task,
        "rows": {
            "read": table.read,
            "rejected": table.read - table.rows.height,
            "left_out": dict(unusable),
            "evaluated": scores.rows,
        },
        "metrics": dict(scores.metrics),
        "intervals": {name: list(interval) for name, interval in scores.intervals.items()},
        "per_class": {label: dict(figures) for label, figures in scores.per_class.items()},
        "confusion": None if scores.confusion is None else scores.confusion.tolist(),
    }
