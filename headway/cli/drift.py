"""`headway drift`: whether rows still look like what a package was proven on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.messages import Language, choose_language, say, say_count
from headway.errors import InputError, PackageError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from headway.evaluation.drift import Drift, Reference
    from headway.runtime import Model
    from headway.runtime.manifest import Manifest


def drift(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Newer rows; with the target column, accuracy counts too.")
    ],
    *,
    false_alarms: Annotated[str, typer.Option(help="How often it may alarm though nothing has changed.")] = "1%",
    as_json: Annotated[bool, typer.Option("--json", help="Print every view as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Compare rows with the package's training reference: inputs, answers and, where known, mistakes."""
    from headway import runtime
    from headway.cli.history import follow
    from headway.cli.places import find_package
    from headway.cli.price import read_part
    from headway.data.reading import read

    found, language = find_package(package), choose_language(lang)
    rate = read_part(false_alarms, "--false-alarms")
    if not 0 < rate < 1:
        raise InputError("this is no rate of false alarms", expected="1% or 0.01", got=false_alarms)
    model = runtime.load(found)
    sequel = follow([read(file).rows], model)
    rows, is_whole = sequel.batches[0], sequel.is_whole
    compared = rows.height if is_whole is None else int(is_whole.sum())
    less = [say("drift:whole", language).format(rows=say_count(compared, "row", language))]
    for words in (*sequel.describe(language), *(less if compared < rows.height else ())):
        typer.echo(words, err=True)
    result = compare_rows(found, model, rows, rate, is_whole=is_whole)
    if as_json:
        plain = {
            "rows": result.rows,
            "answers_compared": compared,
            "false_alarms": result.false_alarms,
            "alarms": len(result.alarms),
            "views": [dataclasses.asdict(shift) for shift in result.shifts],
        }
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for words in _told(result, rows.height, language):
        typer.echo(words)


def _told(result: Drift, rows: int, language: Language) -> Iterator[str]:
    """Yield what was found, line by line."""
    from headway.evaluation.drift.comparing import FEWEST_ROWS
    from headway.serving.drift.wording import tell_drift, tell_shift

    if not result.shifts:
        yield say("drift:few", language).format(rows=say_count(rows, "row", language), least=FEWEST_ROWS)
        return
    yield tell_drift(result, language)
    for shift in result.shifts:
        yield f"{'!' if shift in result.alarms else ' '} {tell_shift(shift, language)}"


def compare_rows(
    path: Path, model: Model, rows: pl.DataFrame, false_alarms: float, *, is_whole: np.ndarray | None = None
) -> Drift:
    """Answer the rows and compare them with the package's reference; raises `PackageError` where it has none.

    Answers to rows whose past is not whole (bool `[rows]`) are left out: those of the reference had theirs.
    """
    import polars as pl

    from headway.cli.answers import predict_rows
    from headway.evaluation.drift import compare_counts, count_answers, count_inputs
    from headway.serving.drift.watching import read_reference

    reference = read_reference(path)
    if reference is None:
        raise PackageError("the package holds no training reference", where=str(path), fix="run the project again")
    columns: Mapping[str, Any] = {name: rows[name].to_list() for name in reference.kinds if name in rows.columns}
    counts = dict(count_inputs(reference, columns))
    judged = rows if is_whole is None else rows.filter(pl.Series(is_whole))
    answers = predict_rows(model, judged, strict=False)
    for part in model.manifest.parts:
        own = answers.targets[part.target] if model.task == "several" else answers
        name = part.target if model.task == "several" else ""
        confidence = None if own.confidence is None else own.confidence.tolist()
        counts |= count_answers(reference, own.predictions.tolist(), confidence, target=name)
        counts |= _mistakes(part, reference, judged, own.predictions.tolist(), target=name)
    return compare_counts(reference, counts, false_alarms=false_alarms)


def _mistakes(
    manifest: Manifest, reference: Reference, rows: pl.DataFrame, predictions: list[Any], *, target: str
) -> Mapping[Any, Any]:
    """Return the counts of right and wrong where the rows have the target."""
    from headway.data.targets import read_target
    from headway.evaluation.drift import count_mistakes

    if manifest.target not in rows.columns:
        return {}
    assert manifest.task in ("classify", "regress")
    known_target = read_target(rows[manifest.target], manifest.task, labels=manifest.labels or ())
    faulty = set(known_target.faults.tolist())
    known = [place for place in range(rows.height) if place not in faulty]
    if not known:
        return {}
    y, labels = known_target.y, manifest.labels
    truths = [labels[int(y[place])] if labels else float(y[place]) for place in known]
    return count_mistakes(reference, [predictions[place] for place in known], truths, target=target)
