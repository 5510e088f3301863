"""Every text family alone, by `headway run` with time enough: what the tournament has to choose from."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.main_job import JOBS, Job, Line, answer_by_hand, answer_headway, project_of, read_parts, shown
from benchmarks.shared import print_table, run_headway

FAMILIES = ("ngram_linear", "bag", "text_cnn", "lstm")
BUDGET = 150


def main() -> str:
    """Run every family on every set and return the table."""
    header = ("data", "family", "accuracy", "seconds", "peak MB", "rows/s in bulk", "one row, p50 ms")
    rows = [row_of(line) for job in JOBS for line in compete(job)]
    return print_table(f"Text families alone, budget {BUDGET} s each", header, rows)


def compete(job: Job) -> list[Line]:
    """Return a line for each family, then one for the peer on the same rows."""
    lines = []
    for family in FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            ran = run_headway(f"{project_of(job, seconds=BUDGET)}\nmodels: [{family}]\n", Path(folder))
            train, test = read_parts(ran.folder, job.target)
            lines.append(answer_headway(job, ran, test))
    return [*lines, answer_by_hand(job, train, test)]


def row_of(line: Line) -> tuple[str, ...]:
    """Return a line as cells."""
    who = line.note.split(",")[0] if line.who == "Headway" else line.who
    figures = (
        shown(line.accuracy, ".4f"),
        shown(line.seconds, ".1f"),
        shown(line.peak_mb, ".0f"),
        shown(line.rows_per_second, ",.0f"),
        shown(line.row_ms, ".2f"),
    )
    return line.job, who, *figures
