"""Text over five splits: the accuracy of `headway run` on the seeds 0 to 4, beside TF-IDF + SVC on the very same rows.

One split of some thousand rows tells figures apart by no more than a percent; their mean is what to trust.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.main_job import BUDGET, JOBS, Job, answer_by_hand, project_of, read_parts
from benchmarks.shared import print_table, run_headway

SEEDS = range(5)


@dataclass(frozen=True)
class SplitLine:
    """How both did on one split; `peak_mb` and `seconds` are of the whole run, and of the peer's fit alone."""

    job: str
    seed: int
    winner: str
    accuracy: float
    seconds: float
    peak_mb: float
    peer_accuracy: float
    peer_seconds: float


def main() -> str:
    """Run every set that is split by its seed and return the tables."""
    jobs = [job for job in JOBS if len(job.files) == 1]
    lines = [compete(job, seed) for job in jobs for seed in SEEDS]
    return print_lines(lines) + "\n" + print_means(lines)


def compete(job: Job, seed: int) -> SplitLine:
    """Run Headway with a seed, then the peer on the rows that this run trained and tested on."""
    with tempfile.TemporaryDirectory() as folder:
        ran = run_headway(f"{project_of(job)}\nseed: {seed}\n", Path(folder))
        train, test = read_parts(ran.folder, job.target)
        peer = answer_by_hand(job, train, test)
    assert peer.accuracy is not None
    assert peer.seconds is not None
    return SplitLine(
        job.name,
        seed,
        str(ran.result["winner"]),
        float(ran.result["metrics"]["accuracy"]),
        ran.spent.seconds,
        ran.spent.peak_mb,
        peer.accuracy,
        peer.seconds,
    )


def print_lines(lines: list[SplitLine]) -> str:
    """Print and return every split."""
    header = ("data", "seed", "Headway", "winner", "seconds", "peak MB", "TF-IDF + SVC", "its fit, seconds", "points")
    rows = [
        [
            line.job,
            line.seed,
            f"{line.accuracy:.4f}",
            line.winner,
            f"{line.seconds:.1f}",
            f"{line.peak_mb:.0f}",
            f"{line.peer_accuracy:.4f}",
            f"{line.peer_seconds:.1f}",
            f"{100 * (line.accuracy - line.peer_accuracy):+.2f}",
        ]
        for line in lines
    ]
    return print_table(f"Every split, budget {BUDGET} s and 1 GB", header, rows)


def print_means(lines: list[SplitLine]) -> str:
    """Print and return the mean of each set with the standard error that five splits leave."""
    header = ("data", "Headway", "TF-IDF + SVC", "points between them", "to reach")
    rows = []
    for job in JOBS:
        own = [line for line in lines if line.job == job.name]
        if not own:
            continue
        ours, theirs = (
            np.array(part) for part in zip(*((one.accuracy, one.peer_accuracy) for one in own), strict=True)
        )
        apart = 100 * (ours - theirs)
        rows.append(
            [
                job.name,
                f"{ours.mean():.4f}",
                f"{theirs.mean():.4f}",
                f"{apart.mean():+.2f} ± {apart.std(ddof=1) / np.sqrt(len(apart)):.2f}",
                f">= {job.to_reach:.3f}",
            ]
        )
    return print_table(f"Means over {len(SEEDS)} splits", header, rows)
