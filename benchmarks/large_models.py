"""Whole `headway run`s with a base named and a budget, nothing else: what they reach and take, beside their peers.

Table B's rows on text where the encoder mostly stays as it is; `fine_tuning` has those where it learns. The peer is a
logistic regression over the frozen base as a user writes it by hand. HEADWAY_BENCH_BASES names the folder that holds
the bases in the layout of Transformers, HEADWAY_BENCH_DRAWS how many draws of few rows are run.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.fine_tuning import find_base, frozen
from benchmarks.main_job import JOBS, answer_headway, project_of, read_parts, shown
from benchmarks.shared import find_data, predict_headway, print_table, run_headway

BUDGET = 120
MEMORY = "memory: 4GB"
ROWS_A_LABEL, DRAWS = 8, int(os.environ.get("HEADWAY_BENCH_DRAWS", "5"))
HEADER = (
    "models",
    "accuracy",
    "to reach",
    "seconds",
    "peak MB",
    "package MB",
    "rows/s in bulk",
    "one row, ms",
    "winner",
)
FEW_HEADER = ("draw", "frozen + LR", "its seconds", "Headway", "to reach", "seconds", "peak MB", "winner")


@dataclass(frozen=True)
class Entry:
    """Which families may compete, with which base; no names: all of them."""

    models: tuple[str, ...]
    base: str | None
    to_reach: float | None = None


@dataclass(frozen=True)
class Few:
    """Few rows to learn from and a test part, both with the columns text and label, and what is to be reached."""

    name: str
    train: pl.DataFrame
    test: pl.DataFrame
    base: str
    seconds: int
    to_reach: float
    descriptions: Mapping[str, str] = field(default_factory=dict)
    unlabelled: pl.DataFrame | None = None


ENTRIES = (
    Entry(("ngram_linear",), None),
    Entry(("encoder_frozen",), "minilm"),
    Entry((), "minilm", 0.935),
)


def main() -> str:
    """Run everything and return the tables."""
    rows = [row_of(entry) for entry in ENTRIES]
    full = print_table(f"en_banking77 with all-MiniLM-L6-v2, budget {BUDGET} s", HEADER, rows)
    return f"{full}\n{few_intents()}\n{few_titles()}"


def row_of(entry: Entry) -> tuple[str, ...]:
    """Run one entry as a user does, answer the test rows through its package, and return its line."""
    (job,) = (job for job in JOBS if job.name == "en_banking77")
    lines = [project_of(job, seconds=BUDGET).replace("memory: 1GB", MEMORY)]
    if entry.models:
        lines.append(f"models: [{', '.join(entry.models)}]")
    if entry.base is not None:
        lines.append(f"base: {find_base(entry.base)}")
    with tempfile.TemporaryDirectory() as folder:
        ran = run_headway("\n".join(lines) + "\n", Path(folder))
        _, test = read_parts(ran.folder, job.target)
        line = answer_headway(job, ran, test)
        size = sum(file.stat().st_size for file in (ran.folder / "package").rglob("*") if file.is_file()) / 1e6
    return (
        " + ".join(entry.models) or "automatic choice",
        shown(line.accuracy, ".4f"),
        shown(entry.to_reach, ".3f"),
        shown(line.seconds, ".1f"),
        shown(line.peak_mb, ".0f"),
        f"{size:.1f}",
        shown(line.rows_per_second, ",.0f"),
        shown(line.row_ms, ".2f"),
        str(ran.result["winner"]),
    )


def few_intents() -> str:
    """Return the table of en_banking77 with few rows a label."""
    folder = find_data("en_banking77")
    parts = [pl.read_csv(folder / f"{part}.csv").rename({"category": "label"}) for part in ("train", "test")]
    draws = [drawn(parts[0], seed) for seed in range(DRAWS)]
    jobs = [Few(str(seed), rows, parts[1], "minilm", 60, 0.850) for seed, rows in enumerate(draws)]
    return few_table(f"en_banking77, {ROWS_A_LABEL} rows a label, all-MiniLM-L6-v2, budget 60 s", jobs)


def few_titles() -> str:
    """Return the table of tnews: its 16 rows a label, alone, and with 4,000 unlabelled rows."""
    folder = find_data("zh_fewclue") / "tnews"
    train, test = (titles(folder / name) for name in ("train_0.json", "test_public.json"))
    named = {
        line["label_desc"]: line["label_zh"] for line in map(json.loads, (folder / "label_index2en2zh.json").open())
    }
    more = (
        pl.read_ndjson(folder / "unlabeled.json.gz").select(text="sentence").sample(4_000, seed=0)
    )  # the file is in the order of labels
    jobs = [
        Few("names as they are", train, test, "e5-small", 180, 0.560),
        Few("Chinese descriptions", train, test, "e5-small", 180, 0.560, named),
        Few("and unlabelled rows", train, test, "e5-small", 180, 0.560, named, more),
    ]
    return few_table("zh_fewclue tnews, train_0 -> test_public, multilingual-e5-small, budget 180 s", jobs)


def few_table(title: str, jobs: list[Few]) -> str:
    """Run every job beside its peer and return the table, with the means where there are several draws."""
    rows = [few_row(job) for job in jobs]
    cells = [tuple(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]
    means = [np.mean([float(row[place]) for row in rows]) for place in (1, 3)]
    told = f"\nmean accuracy: frozen + LR {means[0]:.4f}, Headway {means[1]:.4f}\n"
    print(told, flush=True)
    return print_table(title, FEW_HEADER, cells) + told


def few_row(job: Few) -> tuple[object, ...]:
    """Run the peer and Headway, each in processes of their own, and return their line."""
    with tempfile.TemporaryDirectory() as name:
        folder, base = Path(name), find_base(job.base)
        paths = folder / "train.csv", folder / "test.csv"
        for rows, path in zip((job.train, job.test), paths, strict=True):
            rows.write_csv(path)
        peer = frozen(*paths, base)
        os.environ["HEADWAY_CACHE"] = str(folder / "cache")  # nothing is known from an earlier draw
        ran = run_headway(few_project(job, folder, base), folder)
        answers = folder / "answers.csv"
        predict_headway(ran.folder, paths[1], answers)
        found = pl.read_csv(answers)["prediction"].cast(pl.String)
        accuracy = float((found == job.test["label"].cast(pl.String)).mean() or 0.0)
    spent = ran.spent
    seconds = f"{spent.seconds:.1f}"
    return (
        job.name,
        peer.accuracy,
        f"{peer.seconds:.1f}",
        accuracy,
        f"{job.to_reach:.3f}",
        seconds,
        f"{spent.peak_mb:.0f}",
        ran.result["winner"],
    )


def few_project(job: Few, folder: Path, base: Path) -> str:
    """Return the project: data, base and budget, and what the labels mean where that is known."""
    project = {
        "name": "few",
        "data": "train.csv",
        "test": "test.csv",
        "target": "label",
        "inputs": {"text": "text"},
        "base": str(base),
        "budget": {"time": f"{job.seconds}s", "memory": "4GB"},
    }
    if job.descriptions:
        project["descriptions"] = dict(job.descriptions)
    if job.unlabelled is not None:
        job.unlabelled.write_csv(folder / "more.csv")
        project["unlabelled"] = "more.csv"
    return json.dumps(project, ensure_ascii=False)  # JSON is YAML


def drawn(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return so many rows of each label, drawn at random."""
    generator = np.random.default_rng(seed)
    labels = rows["label"].to_numpy()
    chosen = [
        generator.choice(np.flatnonzero(labels == label), ROWS_A_LABEL, replace=False) for label in np.unique(labels)
    ]
    return rows[np.concatenate(chosen)]


def titles(path: Path) -> pl.DataFrame:
    """Return the titles of a file with their labels' names."""
    return pl.read_ndjson(path).select(text="sentence", label="label_desc")
