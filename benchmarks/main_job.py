"""The main job on text: `headway run` within 60 s, beside a model made by hand and AutoGluon on the very same rows.

By hand: TF-IDF with the n-grams that suit the language, and a linear support vector machine. AutoGluon Tabular at
medium quality gets twice the time. Then the test rows are answered again, in bulk and one by one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.peers import run_autogluon
from benchmarks.shared import Ran, SkippedError, find_data, print_table, run_headway, time_calls
from headway.data.dataset import Dataset
from headway.pipeline.storage import load_dataset, load_split
from headway.runtime import load

BUDGET, PEER_BUDGET = 60, 120
SINGLE_ROWS, PASSES = 300, 5


@dataclass(frozen=True)
class Job:
    """A data set as the user has it, and the hand-made choice of n-grams."""

    name: str
    files: tuple[str, ...]
    text: str
    target: str
    analyzer: str
    ngrams: tuple[int, int]
    to_reach: float


@dataclass(frozen=True)
class Line:
    """What one contender came to; a figure it does not have is None."""

    job: str
    who: str
    note: str
    accuracy: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
    rows_per_second: float | None = None
    row_ms: float | None = None


JOBS = (
    Job("zh_hotel_reviews", ("ChnSentiCorp_htl_all.csv",), "review", "label", "char", (1, 3), 0.905),
    Job("en_banking77", ("train.csv", "test.csv"), "text", "category", "word", (1, 2), 0.900),
)


def main() -> str:
    """Run both jobs and return the tables."""
    text = ""
    for job in JOBS:
        lines = compete(job)
        text += print_table(f"{job.name}: accuracy {job.to_reach} to reach in {BUDGET} s", *quality(lines)) + "\n"
        text += print_table(f"{job.name}: answering the test rows", *speed(lines)) + "\n"
    return text


def compete(job: Job) -> list[Line]:
    """Return Headway's line and those of its peers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ran = run_headway(project_of(job), folder)
        train, test = read_parts(ran.folder, job.target)
        train.write_csv(folder / "train.csv")
        test.write_csv(folder / "test.csv")
        return [answer_headway(job, ran, test), answer_by_hand(job, train, test), answer_autogluon(job, folder, test)]


def project_of(job: Job, *, seconds: int = BUDGET) -> str:
    """Return the project file: data and target, nothing chosen by hand."""
    folder = find_data(job.name)
    lines = [f"{key}: {folder / file}" for key, file in zip(("data", "test"), job.files, strict=False)]
    budget = f"budget: {{time: {seconds}s, memory: 1GB}}"
    return "\n".join([f"name: {job.name}", *lines, f"target: {job.target}", budget])


def read_parts(run: Path, target: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that a run trained and tested on, with their labels."""
    split, data, test = load_split(run / "split.npz"), load_dataset(run / "dataset"), load_dataset(run / "test_dataset")
    assert split is not None
    assert data is not None

    def labelled(dataset: Dataset) -> pl.DataFrame:
        labels = [str(dataset.labels[index]) for index in dataset.y]
        return dataset.rows.select(column.name for column in dataset.inputs).with_columns(pl.Series(target, labels))

    return labelled(data)[split.train], labelled(data)[split.test] if test is None else labelled(test)


def answer_headway(job: Job, ran: Ran, test: pl.DataFrame) -> Line:
    """Answer through the package with nothing but the runtime."""
    model = load(ran.folder / "package")
    texts = test[job.text].to_list()
    right = float(
        np.mean([str(found) for found in model.predict_columns({job.text: texts}).predictions] == truth(job, test))
    )
    whole = time_calls(lambda: model.predict_columns({job.text: texts}), calls=PASSES)
    rows = iter([{job.text: text} for text in texts[: SINGLE_ROWS + 1]])
    single = time_calls(lambda: model.predict([next(rows)]), calls=SINGLE_ROWS)
    note = f"{ran.result['winner']}, whole run"
    return Line(
        job.name, "Headway", note, right, ran.spent.seconds, ran.spent.peak_mb, len(texts) / whole, 1000 * single
    )


def answer_by_hand(job: Job, train: pl.DataFrame, test: pl.DataFrame) -> Line:
    """Fit TF-IDF and a linear support vector machine."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    texts = test[job.text].to_list()
    began = time.monotonic()
    features = TfidfVectorizer(analyzer=job.analyzer, ngram_range=job.ngrams, sublinear_tf=True)
    model = make_pipeline(features, LinearSVC()).fit(train[job.text].to_list(), train[job.target].to_list())
    seconds = time.monotonic() - began
    right = float(np.mean(model.predict(texts) == truth(job, test)))
    whole = time_calls(lambda: model.predict(texts), calls=PASSES)
    rows = iter(texts[: SINGLE_ROWS + 1])
    single = time_calls(lambda: model.predict([next(rows)]), calls=SINGLE_ROWS)
    note = f"{job.analyzer} {job.ngrams[0]}-{job.ngrams[1]}-grams chosen by hand, fit alone"
    return Line(job.name, "TF-IDF + SVC", note, right, seconds, None, len(texts) / whole, 1000 * single)


def answer_autogluon(job: Job, folder: Path, test: pl.DataFrame) -> Line:
    """Run AutoGluon in its own environment; that it gives up is a result too."""
    try:
        found = run_autogluon(
            folder,
            folder / "train.csv",
            folder / "test.csv",
            target=job.target,
            metric="accuracy",
            limit=PEER_BUDGET,
        )
    except SkippedError as reason:
        return Line(job.name, "AutoGluon", f"skipped: {reason}")
    except RuntimeError as error:
        return Line(job.name, "AutoGluon", f"stops: {str(error).strip().splitlines()[-1][:120]}")
    names = np.array(found.probabilities.columns)
    right = float(np.mean(names[found.probabilities.to_numpy().argmax(1)] == truth(job, test)))
    note = "whole process"
    return Line(job.name, "AutoGluon", note, right, found.seconds, found.peak_mb, found.rows_per_second, found.row_ms)


def truth(job: Job, test: pl.DataFrame) -> np.ndarray:
    """Return the true labels as strings."""
    return test[job.target].cast(pl.String).to_numpy()


def quality(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and rows of what each contender reached, and what it took."""
    ours = lines[0]
    header = ("who", "accuracy", "points to Headway", "seconds", "times Headway's", "peak MB", "note")
    rows = []
    for line in lines:
        apart = None if line.accuracy is None else 100 * (line.accuracy - ours.accuracy)
        rows.append(
            [
                line.who,
                shown(line.accuracy, ".4f"),
                shown(apart, "+.2f"),
                shown(line.seconds, ".1f"),
                shown(ratio(line.seconds, ours.seconds), ".2f"),
                shown(line.peak_mb, ".0f"),
                line.note,
            ]
        )
    return header, rows


def speed(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and rows of how fast each contender answers."""
    ours = lines[0]
    header = ("who", "rows/s in bulk", "Headway is faster by", "one row, p50 ms", "Headway is faster by")
    rows = [
        [
            line.who,
            shown(line.rows_per_second, ",.0f"),
            shown(ratio(ours.rows_per_second, line.rows_per_second), ".1f"),
            shown(line.row_ms, ".2f"),
            shown(ratio(line.row_ms, ours.row_ms), ".1f"),
        ]
        for line in lines
    ]
    return header, rows


def ratio(above: float | None, below: float | None) -> float | None:
    """Return a ratio where both figures are there."""
    return None if above is None or below is None else above / below


def shown(figure: float | None, form: str) -> str:
    """Return a figure as text, a dash for none."""
    return "-" if figure is None else format(figure, form)
