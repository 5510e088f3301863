"""Drift: how often it alarms when nothing has changed, and whether it sees real shifts.

Nothing changed: the model's package is made from one part of the rows; the rest is divided anew 40 times into rows of
the reference and rows of "production", from which windows are drawn. Real shifts: patients of another hospital (heart
disease, Cleveland against Switzerland), and shopping reviews sent to a model of hotel reviews.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.shared import SkippedError, find_data, print_table, run_headway
from headway.evaluation.drift import compare_counts, count_answers, count_inputs, count_mistakes, reference_to_json
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.evaluation.drift.comparing import Drift
from headway.evaluation.drift.reference import Kind, Reference
from headway.runtime import Model, load

_SPLITS, _WINDOWS, _SHIFTED = 40, 25, 5
_HEART = "age sex cp trestbps chol fbs restecg thalach exang oldpeak slope ca thal".split()  # noqa: SIM905 - readable
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Job:
    """A model with rows that it has not learnt from, and rows from elsewhere (both with the label in `target`)."""

    name: str
    model: Model
    kinds: Mapping[str, Kind]
    target: str
    rest: pl.DataFrame
    elsewhere: Mapping[str, pl.DataFrame]
    window: int


def main() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as scratch:
        jobs = [_heart(Path(scratch) / "heart"), _hotels(Path(scratch) / "hotels")]
        rows = [row for job in jobs for row in _measure(job)]
    header = ("data", "windows", "windows with an alarm", "without feedback", "what shows it most often")
    return print_table("Drift, at a stated false-alarm rate of 1% a window", header, rows)


def _measure(job: Job) -> list[tuple[str, ...]]:
    random = np.random.default_rng(0)
    found: dict[str, list[Drift]] = {"nothing changed": [], **{name: [] for name in job.elsewhere}}
    size = 0
    for split in range(_SPLITS):
        order = random.permutation(job.rest.height)
        half = job.rest.height // 2
        reference = _reference(job, job.rest[order[:half]], seed=split)
        size = max(size, len(reference_to_json(reference)))
        production = job.rest[order[half:]]
        for _ in range(_WINDOWS):
            found["nothing changed"].append(_window(job, reference, production, random))
        for name, frame in job.elsewhere.items():
            found[name] += [_window(job, reference, frame, random) for _ in range(_SHIFTED)]
    lines = []
    for name, drifts in found.items():
        alarmed = [drift for drift in drifts if drift.alarms]
        blind = sum(any(shift.aspect != "mistakes" for shift in drift.alarms) for drift in drifts)
        first = [f"{drift.alarms[0].column or 'answers'}: {drift.alarms[0].aspect}" for drift in alarmed]
        most = max(set(first), key=first.count) if first else "-"
        shares = (f"{len(alarmed) / len(drifts):.1%}", f"{blind / len(drifts):.1%}")
        lines.append((f"{job.name}: {name}", f"{len(drifts):,} x {job.window} rows", *shares, most))
    lines.append((f"{job.name}: the reference", f"{size / 1024:.0f} KB in the package", "", "", ""))
    return lines


def _reference(job: Job, frame: pl.DataFrame, *, seed: int) -> Reference:
    """Return the reference of rows, as packaging makes it; a third of them stands for the test part."""
    cut = frame.height // 3
    answers = job.model.predict_columns(_inputs(job, frame[:cut]))
    confidence = None if answers.confidence is None else answers.confidence.tolist()
    truths = frame[:cut][job.target].to_list()
    return build_reference(
        _inputs(job, frame),
        job.kinds,
        answers={"": TargetAnswers(job.model.manifest.task, answers.predictions.tolist(), confidence, truths)},
        seed=seed,
    )


def _window(job: Job, reference: Reference, frame: pl.DataFrame, random: np.random.Generator) -> Drift:
    """Draw a window of rows, answer it, and compare it with the reference."""
    rows = frame[random.choice(frame.height, job.window, replace=False)]
    inputs = _inputs(job, rows)
    answers = job.model.predict_columns(inputs)
    confidence = None if answers.confidence is None else answers.confidence.tolist()
    predictions = answers.predictions.tolist()
    counts = {
        **count_inputs(reference, inputs),
        **count_answers(reference, predictions, confidence),
        **count_mistakes(reference, predictions, rows[job.target].to_list()),
    }
    return compare_counts(reference, counts, seed=int(random.integers(2**31)))


def _inputs(job: Job, frame: pl.DataFrame) -> dict[str, list[Any]]:
    return {name: frame[name].to_list() for name in job.kinds}


def _heart(folder: Path) -> Job:
    source = find_data("heart_cleveland")
    cleveland, swiss = (
        pl.read_csv(
            source / f"processed.{place}.data", has_header=False, new_columns=[*_HEART, "disease"], null_values="?"
        ).with_columns((pl.col("disease") > 0).cast(pl.Int64))
        for place in ("cleveland", "switzerland")
    )
    cleveland = cleveland.sample(fraction=1.0, shuffle=True, seed=0)
    model = _train(folder, cleveland[:100], "disease", "models: [linear]")
    kinds: dict[str, Kind] = dict.fromkeys(_HEART, "number")
    return Job("heart disease", model, kinds, "disease", cleveland[100:], {"Swiss patients": swiss}, 60)


def _hotels(folder: Path) -> Job:
    hotels = pl.read_csv(find_data("zh_hotel_reviews") / "ChnSentiCorp_htl_all.csv").drop_nulls().unique("review")
    hotels = hotels.sample(fraction=1.0, shuffle=True, seed=0)
    with zipfile.ZipFile(find_data("zh_shopping_reviews") / "online_shopping_10_cats.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
        shopping = (
            pl.read_csv(archive.read(name)).filter(pl.col("cat") != "酒店").select("review", "label").drop_nulls()
        )
    model = _train(folder, hotels[:1500], "label", "models: [ngram_linear]")
    rest = hotels[1500:].select("review", "label")
    few = rest.filter(pl.col("label") == 0)
    mixed = pl.concat([rest.sample(1600, seed=1), shopping.cast(rest.schema).sample(400, seed=1)])
    elsewhere = {
        "shopping reviews": shopping,
        "a fifth shopping reviews": mixed,
        "half of them bad (usually a third)": pl.concat([few.head(1000), rest.filter(pl.col("label") == 1).head(1000)]),
    }
    return Job("hotel reviews", model, {"review": "text"}, "label", rest, elsewhere, 200)


def _train(folder: Path, frame: pl.DataFrame, target: str, models: str) -> Model:
    """Make a package as a user does."""
    folder.mkdir()
    frame.write_csv(folder / "rows.csv")
    project = f"name: drift\ndata: {folder}/rows.csv\ntarget: {target}\n{models}\nbudget: {{time: 5m}}\n"
    ran = run_headway(project, folder)
    if ran.result["winner"] == "baseline":
        raise SkippedError("the machine is too busy: no model was trained in time")
    return load(ran.folder / "package")
