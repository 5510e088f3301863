"""`headway compare`: which of two runs is better, and whether that is more than luck."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.messages import call_metric, choose_language
from headway.errors import RunError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from headway.evaluation.comparison import Comparison
    from headway.tasks import Several

_ANSWERS = "test_answers.parquet"


@dataclass(frozen=True)
class TestedRun:
    """A finished run: its name on the screen, what kind of task it had, and its answers to its test rows.

    `targets`: of several, the task, labels and metric of each, as `result.json` has them. `costs`: what answering the
    second label costs where the first is true; none where all mistakes cost the same.
    """

    name: str
    task: str
    answers: pl.DataFrame
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another run folder, tested on the same rows.")],
    *,
    metric: Annotated[
        str | None,
        typer.Option(help="accuracy by default; mean_cost with costs, rmse for numbers, bits_per_character for texts."),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the verdict: en or zh.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two runs by a paired test on the test rows that both answered."""
    result = compare_runs(_open(a, "A"), _open(b, "B"), metric=metric)
    if as_json:
        typer.echo(json.dumps(describe(result), ensure_ascii=False, indent=2))
        return
    if choose_language(lang) == "zh":
        typer.echo(result.chinese_verdict(call_metric(result.metric, "zh")))
    else:
        typer.echo(result.verdict)


def compare_runs(a: TestedRun, b: TestedRun, *, metric: str | None = None) -> Comparison:
    """Compare two runs on their common test rows; raises `RunError` where they do not fit together."""
    import numpy as np

    from headway.data.dataset import ROW
    from headway.evaluation import comparison
    from headway.tasks import Classify, Generate, Regress

    labels = [name for name in a.answers.columns if name.startswith("p_")]
    if a.task != b.task or set(labels) != {name for name in b.answers.columns if name.startswith("p_")}:
        raise RunError("the two runs answer different questions", expected="the same task and the same labels")
    both = a.answers.join(b.answers, on=ROW, suffix="_b").sort(ROW)
    truths = [name for name in a.answers.columns if name == "actual" or name.startswith("actual_")]
    if both.height == 0 or not all(both[name].eq_missing(both[f"{name}_b"]).all() for name in truths):
        fix = "run both projects on the same data with the same split and seed"
        raise RunError("the two runs were not tested on the same rows", expected="common test rows", fix=fix)
    names = (a.name, b.name)
    if a.task == "several":
        task, y = _several(a, both)
        ours, theirs = (_side_by_side(task, both, end) for end in ("", "_b"))
        return comparison.compare(ours, theirs, y, task, names=names, metric=metric)
    if a.task == "generate":
        a_answers, b_answers = (both.select(f"nats{end}", f"tokens{end}").to_numpy() for end in ("", "_b"))
        y = both["actual"].to_numpy()
        return comparison.compare(a_answers, b_answers, y, Generate(), names=names, metric=metric)
    if a.task == "regress":
        a_values, b_values, y = (both[name].to_numpy() for name in ("prediction", "prediction_b", "actual"))
        return comparison.compare(a_values, b_values, y, Regress(), names=names, metric=metric)
    place = {name.removeprefix("p_"): index for index, name in enumerate(labels)}
    truth, *decided = (
        np.array([place[str(label)] for label in both[name]]) for name in ("actual", "prediction", "prediction_b")
    )
    costs = _common_costs(a, b, metric)
    return comparison.compare(
        both.select(labels).to_numpy(),
        both.select(f"{name}_b" for name in labels).to_numpy(),
        truth,
        Classify(tuple(place)),
        names=names,
        metric=metric,
        decided=(decided[0], decided[1]),
        costs=None if costs is None else tuple(tuple(costs[actual][each] for each in place) for actual in place),
    )


def _common_costs(a: TestedRun, b: TestedRun, metric: str | None) -> Mapping[str, Mapping[str, float]] | None:
    """Return the costs that two runs are compared by: those of either, None where there are none or they differ.

    Raises `RunError` where `mean_cost` is asked for and nothing says what an answer costs.
    """
    known = [run.costs for run in (a, b) if run.costs]
    costs = known[0] if known and all(each == known[0] for each in known) else None
    if costs is None and metric == "mean_cost":
        raise RunError(
            "the two runs cannot be compared by their cost",
            expected="a run with `decision.costs`, or two with the same",
            got="costs that differ" if known else "runs without costs",
        )
    return costs


def _several(run: TestedRun, both: pl.DataFrame) -> tuple[Several, np.ndarray]:
    """Return the task of a run of several targets, and the targets of its test rows."""
    import numpy as np

    from headway.evaluation.metrics import positive_class
    from headway.tasks import Classify, Part, Regress, Several

    parts, columns = [], []
    for name, told in run.targets.items():
        truth = both[f"actual_{name}"]
        if told["task"] == "regress":
            parts.append(Part(name, Regress(), told["metric"]))
            columns.append(truth.cast(float).fill_null(float("nan")).to_numpy())
            continue
        task = Classify(tuple(str(label) for label in told["labels"]))
        place = {str(label): index for index, label in enumerate(task.labels)}
        own = np.array([place.get(label, np.nan) for label in truth.to_list()])
        parts.append(Part(name, task, told["metric"], positive_class(own[~np.isnan(own)].astype(np.int64), task)))
        columns.append(own)
    return Several(tuple(parts)), np.stack(columns, axis=1).astype(np.float32)


def _side_by_side(task: Several, both: pl.DataFrame, end: str) -> np.ndarray:
    """Return the answers of a run for all targets as the task has them; `end` tells which of the two runs."""
    from headway.tasks import Classify

    names = [
        f"{column}{end}"
        for part in task.parts
        for column in (
            [f"p_{part.name}_{label}" for label in part.task.labels]
            if isinstance(part.task, Classify)
            else [f"prediction_{part.name}"]
        )
    ]
    return both.select(names).to_numpy()


def describe(result: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data for JSON."""
    return {
        "metric": result.metric,
        "names": list(result.names),
        "rows": result.rows,
        "values": list(result.values),
        "difference": result.difference,
        "interval": list(result.interval),
        "p_value": result.p_value,
        "better": result.better,
        "verdict": result.verdict,
    }


def _open(path: Path, letter: str) -> TestedRun:
    """Return the finished run at `path`, named by its letter and its winner."""
    import polars as pl

    from headway.cli.places import find_run

    run = find_run(path)
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    if not (run / _ANSWERS).is_file():
        raise RunError("the run has kept no answers to its test rows", where=str(path), expected=_ANSWERS)
    answers = pl.read_parquet(run / _ANSWERS)
    name = f"{letter} ({result['winner']})"
    return TestedRun(name, result["task"], answers, result.get("targets") or {}, _costs_of(run / result["package"]))


def _costs_of(package: Path) -> dict[str, dict[str, float]]:
    """Return what each answer costs, by the true label, as the package of a run has it; nothing where it has none."""
    from headway.runtime.archive import MANIFEST
    from headway.runtime.manifest_json import from_json

    file = package / MANIFEST
    if not file.is_file():
        return {}
    manifest = from_json(file.read_bytes())
    if manifest.costs is None:
        return {}
    names = [str(label) for label in manifest.labels]
    return {actual: dict(zip(names, row, strict=True)) for actual, row in zip(names, manifest.costs, strict=True)}
