"""A whole `headway run` with a base model named: what it reaches, takes and weighs, beside n-grams alone.

HEADWAY_BENCH_BASES names the folder that holds the base `minilm` in the layout of Transformers.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fine_tuning import find_base
from benchmarks.main_job import JOBS, answer_headway, project_of, read_parts, shown
from benchmarks.shared import print_table, run_headway

BUDGET = 120
MEMORY = "memory: 4GB"
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


@dataclass(frozen=True)
class Entry:
    """Which families may compete, with which base."""

    models: tuple[str, ...]
    base: str | None
    to_reach: float | None = None


ENTRIES = (
    Entry(("ngram_linear",), None),
    Entry(("encoder_frozen",), "minilm"),
    Entry(("ngram_linear", "encoder_frozen"), "minilm", 0.935),
)


def main() -> str:
    """Run all entries on en_banking77 and return the table."""
    rows = [row_of(entry) for entry in ENTRIES]
    return print_table(f"en_banking77 with all-MiniLM-L6-v2, budget {BUDGET} s", HEADER, rows)


def row_of(entry: Entry) -> tuple[str, ...]:
    """Run one entry as a user does, answer the test rows through its package, and return its line."""
    (job,) = (job for job in JOBS if job.name == "en_banking77")
    project = project_of(job, seconds=BUDGET).replace("memory: 1GB", MEMORY)
    lines = [project, f"models: [{', '.join(entry.models)}]"]
    if entry.base is not None:
        lines.append(f"base: {find_base(entry.base)}")
    with tempfile.TemporaryDirectory() as folder:
        ran = run_headway("\n".join(lines) + "\n", Path(folder))
        _, test = read_parts(ran.folder, job.target)
        line = answer_headway(job, ran, test)
        size = sum(file.stat().st_size for file in (ran.folder / "package").rglob("*") if file.is_file()) / 1e6
    return (
        " + ".join(entry.models),
        shown(line.accuracy, ".4f"),
        shown(entry.to_reach, ".3f"),
        shown(line.seconds, ".1f"),
        shown(line.peak_mb, ".0f"),
        f"{size:.1f}",
        shown(line.rows_per_second, ",.0f"),
        shown(line.row_ms, ".2f"),
        str(ran.result["winner"]),
    )
