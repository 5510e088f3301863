"""Ten million rows through `headway predict`: the memory must not grow with the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.shared import predict_headway, print_table, run_headway

SIZES = (1_000_000, 10_000_000)


def main() -> str:
    """Train a small table, predict files of two sizes and compare the peaks."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run = train(home)
        for size in SIZES:
            table = home / "new.csv"
            write_rows(table, size)
            spent = predict_headway(run, table, home / "answers.csv")
            answered = sum(1 for _ in (home / "answers.csv").open("rb")) - 1
            rows.append(
                [
                    f"{size:,}",
                    f"{answered:,}",
                    f"{table.stat().st_size / 1e6:.0f}",
                    f"{spent.peak_mb:.0f}",
                    f"{size / spent.seconds:,.0f}",
                ]
            )
    return print_table(
        "Streaming predict", ("rows", "answered", "file MB", "peak MB (<= 1000 to reach)", "rows/s"), rows
    )


def make_rows(size: int, seed: int) -> pl.DataFrame:
    """Return made-up rows: two numbers, one category, and a label that depends on them."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, size)).round(4)
    kind = generator.choice(["red", "green", "blue"], size)
    label = np.where(first + (kind == "red") > second, "yes", "no")
    return pl.DataFrame({"id": np.arange(size), "first": first, "second": second, "kind": kind, "label": label})


def train(home: Path) -> Path:
    """Run a small project and return its run folder."""
    make_rows(5000, 0).write_csv(home / "train.csv")
    project = "name: stream\ndata: train.csv\ntarget: label\nignore: [id]\nmodels: [linear]\nbudget: {time: 30s}\n"
    return run_headway(project, home).folder


def write_rows(path: Path, size: int) -> None:
    """Write `size` rows in pieces of a million."""
    with path.open("wb") as file:
        for start in range(0, size, 1_000_000):
            make_rows(1_000_000, start).drop("label").write_csv(file, include_header=start == 0)
