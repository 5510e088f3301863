"""`headway evaluate`: how good a package is on rows with known answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.messages import Language, call_metric, choose_language, say, say_count
from headway.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from headway.data.dataset import Table
    from headway.evaluation.scores import Scores
    from headway.runtime import Answers, Model
    from headway.tasks import Several

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
    if model.manifest.targets:
        return _score_several(model, table, language=language)
    import numpy as np

    from headway.cli.history import follow
    from headway.cli.target import check_target
    from headway.data.dataset import Column
    from headway.data.targets import read_target
    from headway.evaluation.scoring import evaluate as score
    from headway.tasks import Classify, Regress

    manifest = model.manifest
    assert manifest.task != "generate"  # the runtime opens no package that writes as a model
    assert manifest.task != "several"
    target = read_target(
        table.rows[check_target(table.rows, manifest.target, where="the target of the package")],
        manifest.task,
        labels=manifest.labels or (),
    )
    keep = np.setdiff1d(np.arange(table.rows.height), target.faults)
    unusable = _count(target.reasons)
    if len(keep) == 0:
        raise _nothing_to_score(unusable, f"the column {manifest.target}")
    # Rows that cannot be scored are still the past of others.
    typed, answers = _answered(model, follow([table.rows], model).batches[0][keep], language)
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


def _score_several(model: Model, table: Table, *, language: Language) -> tuple[Scores, Mapping[str, int]]:
    """Do the same for a model of several targets; a row counts for the targets that it has."""
    import numpy as np

    from headway.cli.target import check_target
    from headway.data.dataset import Column
    from headway.data.targets import read_target
    from headway.evaluation.several import evaluate_several

    columns, unusable = [], dict[str, int]()
    for each in model.manifest.targets:
        name = check_target(table.rows, each.name, where="a target of the package")
        target = read_target(table.rows[name], each.task, labels=each.labels)
        columns.append(target.y.astype(np.float32))
        columns[-1][target.faults] = np.nan
        odd = [reason for reason in target.reasons if reason != "the target is missing"]
        unusable |= {f"{each.name}: {reason}": count for reason, count in _count(odd).items()}
    y = np.stack(columns, axis=1)
    blank = np.isnan(y).all(axis=1)
    if blank.any():
        unusable["every target is missing"] = int(blank.sum())
    if blank.all():
        raise _nothing_to_score(unusable, f"the columns {model.manifest.target}")
    keep = np.flatnonzero(~blank)
    typed, answers = _answered(model, table.rows[keep], language)
    parts = [answers.targets[each.name] for each in model.manifest.targets]
    figures = [part.predictions[:, None] if part.probabilities is None else part.probabilities for part in parts]
    inputs = tuple(Column(column.name, column.modality) for column in model.manifest.inputs)
    task = _task_of(model, y[keep])
    scores = evaluate_several(
        y[keep], np.concatenate(figures, axis=1), task, rows=typed, inputs=inputs, seed=model.manifest.seed
    )
    return scores, unusable


def _task_of(model: Model, y: np.ndarray) -> Several:
    """Return the task of a package of several targets, to be judged on the targets `y`."""
    import numpy as np

    from headway.evaluation.metrics import positive_class
    from headway.tasks import Classify, Part, Regress, Several

    parts = []
    for place, each in enumerate(model.manifest.targets):
        if each.task == "regress":
            parts.append(Part(each.name, Regress(), each.metric))
            continue
        task = Classify(each.labels)
        known = y[~np.isnan(y[:, place]), place].astype(np.int64)
        parts.append(Part(each.name, task, each.metric, positive_class(known, task)))
    return Several(tuple(parts))


def _answered(model: Model, rows: pl.DataFrame, language: Language) -> tuple[pl.DataFrame, Answers]:
    """Return rows with typed numbers and dates, which slices need (a CSV file gives texts), and their answers."""
    from headway.cli.answers import predict_rows
    from headway.data.casting import cast_column
    from headway.report.translation import translate

    answers = predict_rows(model, rows, strict=False)
    cast = [
        cast_column(rows[column.name], column.modality)
        for column in model.manifest.inputs
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
    return rows.with_columns(column.series for column in cast), answers


def _count(reasons: Sequence[str]) -> dict[str, int]:
    """Return how often each reason stands."""
    return {reason: list(reasons).count(reason) for reason in dict.fromkeys(reasons)}


def _nothing_to_score(unusable: Mapping[str, int], wanted: str) -> DataError:
    got = "; ".join([*list(unusable)[:_SHOWN], *(["..."] if len(unusable) > _SHOWN else [])])
    return DataError("no row can be scored", expected=f"known values in {wanted}", got=got)


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
        **({"targets": {name: _figures_of(own) for name, own in scores.targets.items()}} if scores.targets else {}),
    }


def _figures_of(scores: Scores) -> dict[str, Any]:
    """Return the scores of one of several targets as plain data."""
    return {
        "task": scores.task,
        "rows": scores.rows,
        "metrics": dict(scores.metrics),
        "intervals": {name: list(interval) for name, interval in scores.intervals.items()},
        "per_class": {label: dict(figures) for label, figures in scores.per_class.items()},
        "confusion": None if scores.confusion is None else scores.confusion.tolist(),
    }
