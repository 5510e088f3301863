"""Ten million rows through `headway predict`: the memory must not grow with the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil

from benchmarks.shared import print_table

SIZES = (1_000_000, 10_000_000)


def main() -> str:
    """Train a small table, predict files of two sizes and compare the peaks."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        package = train(home)
        for size in SIZES:
            table = home / "new.csv"
            write_rows(table, size)
            peak, elapsed = predict(package, table, home / "answers.csv")
            answered = sum(1 for _ in (home / "answers.csv").open("rb")) - 1
            rows.append(
                [
                    f"{size:,}",
                    f"{answered:,}",
                    f"{table.stat().st_size / 1e6:.0f}",
                    f"{peak:.0f}",
                    f"{size / elapsed:,.0f}",
                ]
            )
    return print_table("Streaming predict", ("rows", "answered", "file MB", "peak MB", "rows/s"), rows)


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
    (home / "headway.yaml").write_text(
        "name: stream\ndata: train.csv\ntarget: label\nignore: [id]\nmodels: [linear]\nbudget: {time: 30s}\n"
    )
    command = [
        sys.executable,
        "-m",
        "headway.cli",
        "run",
        str(home / "headway.yaml"),
        "--out",
        str(home / "runs"),
        "--quiet",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home / "runs" / "stream" / "latest"


def write_rows(path: Path, size: int) -> None:
    """Write `size` rows in pieces of a million."""
    with path.open("wb") as file:
        for start in range(0, size, 1_000_000):
            make_rows(1_000_000, start).drop("label").write_csv(file, include_header=start == 0)


def predict(package: Path, table: Path, out: Path) -> tuple[float, float]:
    """Return the peak resident memory in MB and the seconds of `headway predict`."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "headway.cli", "predict", str(package), str(table), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        env={**os.environ},
    )
    watched, peak = psutil.Process(process.pid), 0.0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    if process.wait() != 0:
        raise RuntimeError(json.dumps({"exit": process.returncode}))
    return peak, time.monotonic() - started
