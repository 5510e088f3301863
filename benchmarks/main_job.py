"""The main job against its peers: one command from a table to a package, under 60 s (120 s for images).

Peer in the same run, on the same rows: TF-IDF + LinearSVC by hand, with the n-grams that suit the language.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.shared import find_data, print_table
from headway.data.dataset import Dataset
from headway.pipeline.storage import load_dataset, load_split


@dataclass(frozen=True)
class Job:
    """A data set as the user has it, the project's lines, and the peer's hand-made choice."""

    name: str
    lines: tuple[str, ...]
    text: str
    target: str
    analyzer: str
    ngrams: tuple[int, int]
    floor: float


def main() -> str:
    """Run both text jobs and return the table."""
    rows = []
    for job in jobs():
        with tempfile.TemporaryDirectory() as folder:
            ours = run_headway(job, Path(folder))
            peer = run_by_hand(job, ours["run"])
        rows.append(
            [
                job.name,
                f"{ours['accuracy']:.4f}",
                f"{job.floor:.3f}",
                f"{ours['seconds']:.0f}",
                f"{ours['memory_mb']:.0f}",
                f"{peer['accuracy']:.4f}",
                f"{peer['seconds']:.1f}",
                ours["winner"],
            ]
        )
    header = ("job", "Headway accuracy", "to reach", "seconds", "peak MB", "TF-IDF + SVC accuracy", "seconds", "winner")
    return print_table("The main job, budget 60 s", header, rows)


def jobs() -> tuple[Job, ...]:
    """Return the two text jobs of the targets."""
    hotel = find_data("zh_hotel_reviews") / "ChnSentiCorp_htl_all.csv"
    bank = find_data("en_banking77")
    return (
        Job("zh_hotel_reviews", (f"data: {hotel}", "target: label"), "review", "label", "char", (1, 3), 0.905),
        Job(
            "en_banking77",
            (f"data: {bank / 'train.csv'}", f"test: {bank / 'test.csv'}", "target: category"),
            "text",
            "category",
            "word",
            (1, 2),
            0.900,
        ),
    )


def run_headway(job: Job, folder: Path) -> dict[str, object]:
    """Run `headway run` as a user does, in a process of its own."""
    project = folder / "headway.yaml"
    project.write_text("\n".join([f"name: {job.name}", *job.lines, "budget: {time: 60s, memory: 1GB}"]))
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "headway.cli", "run", str(project), "--out", str(folder / "runs"), "--quiet"], check=True
    )
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    run = (folder / "runs" / job.name / "latest").resolve()
    result = json.loads((run / "result.json").read_text())
    return {
        "accuracy": result["metrics"]["accuracy"],
        "seconds": seconds,
        "memory_mb": peak,
        "winner": result["winner"],
        "run": run,
    }


def read_parts(run: Path, target: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that a run trained and tested on, with their labels."""
    split = load_split(run / "split.npz")
    data, test = load_dataset(run / "dataset"), load_dataset(run / "test_dataset")
    assert split is not None
    assert data is not None

    def labelled(dataset: Dataset) -> pl.DataFrame:
        return dataset.rows.with_columns(pl.Series(target, [str(dataset.labels[index]) for index in dataset.y]))

    train = labelled(data)[split.train]
    return train, labelled(data)[split.test] if test is None else labelled(test)


def run_by_hand(job: Job, run: Path) -> dict[str, float]:
    """Fit TF-IDF + LinearSVC on the very rows that Headway trained and tested on."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    train, test = read_parts(run, job.target)
    started = time.monotonic()
    model = make_pipeline(
        TfidfVectorizer(analyzer=job.analyzer, ngram_range=job.ngrams, sublinear_tf=True), LinearSVC()
    )
    model.fit(train[job.text], train[job.target])
    accuracy = float((model.predict(test[job.text]) == test[job.target].to_numpy()).mean())
    return {"accuracy": accuracy, "seconds": time.monotonic() - started}
