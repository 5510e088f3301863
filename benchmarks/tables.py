"""Four small tables, five fixed stratified 80/20 splits each: `headway run` and `predict` beside AutoGluon Tabular.

Both learn from the same train file; Headway's winner is also scored on the test file, once, as a run with `test:` does
it. Both are judged by the probability of the rarer class: ROC AUC, for mammography average precision. AutoGluon (medium
quality) gets 120 s, Headway a third. Seconds are wall time, to the last answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from benchmarks.peers import run_autogluon
from benchmarks.shared import find_data, predict_headway, print_table, run_headway

SPLITS = 5
PEER_BUDGET = 120
BUDGET = PEER_BUDGET // 3


@dataclass(frozen=True)
class TableJob:
    """A headerless file whose last column is the target; `positive` says which targets are the class to find."""

    name: str
    folder: str
    file: str
    positive: Callable[[pl.Series], pl.Series]
    metric: Literal["roc_auc", "average_precision"] = "roc_auc"


JOBS = (
    TableJob("german_credit", "german_credit", "german.csv", lambda y: y == "2"),
    TableJob("pima", "pima_diabetes", "pima-indians-diabetes.csv", lambda y: y == "1"),
    TableJob(
        "mammography", "mammography", "mammography.csv", lambda y: y.str.contains("'1'"), metric="average_precision"
    ),
    TableJob("heart", "heart_cleveland", "processed.cleveland.data", lambda y: y != "0"),
)


@dataclass(frozen=True)
class Race:
    """How both did on one split."""

    job: str
    split: int
    score: float
    seconds: float
    winner: str
    peer_score: float
    peer_seconds: float


def main() -> str:
    """Run all races and return the tables."""
    races = [race(job, number) for job in JOBS for number in range(SPLITS)]
    return print_races(races)


def race(job: TableJob, number: int) -> Race:
    """Let both contenders learn and answer one split, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_split(job, number, folder)
        ran = run_headway(
            f"name: {job.name}\ndata: train.csv\ntest: test.csv\ntarget: target\ntask: classify\nmetric: {job.metric}\n"
            f"budget: {{time: {BUDGET}s}}\n",
            folder,
        )
        out = folder / "answers.csv"
        answered = predict_headway(ran.folder, folder / "test.csv", out)
        peer = run_autogluon(
            folder,
            folder / "train.csv",
            folder / "test.csv",
            target="target",
            metric=job.metric,
            limit=PEER_BUDGET,
        )
        return Race(
            job.name,
            number,
            judge(job, truth, pl.read_csv(out)["p_1"].to_numpy()),
            ran.spent.seconds + answered.seconds,
            str(ran.result["winner"]),
            judge(job, truth, peer.probabilities["1"].to_numpy()),
            peer.seconds,
        )


def write_split(job: TableJob, number: int, folder: Path) -> np.ndarray:
    """Write `train.csv` and `test.csv` and return the true answers of the test rows."""
    from sklearn.model_selection import train_test_split

    path = find_data(job.folder) / job.file
    rows = pl.read_csv(path, has_header=False, null_values=["?"], quote_char=None)
    *inputs, target = rows.columns
    y = job.positive(rows[target].cast(pl.String)).cast(pl.Int64)
    rows = rows.select(pl.col(name).alias(f"x{place}") for place, name in enumerate(inputs, 1)).with_columns(target=y)
    train, test = train_test_split(np.arange(len(rows)), test_size=0.2, random_state=number, stratify=y.to_numpy())
    rows[train].write_csv(folder / "train.csv")
    rows[test].write_csv(folder / "test.csv")
    return y.to_numpy()[test]


def judge(job: TableJob, truth: np.ndarray, scores: np.ndarray) -> float:
    """Return the job's metric of the scores of the class to find."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return float((average_precision_score if job.metric == "average_precision" else roc_auc_score)(truth, scores))


def print_races(races: list[Race]) -> str:
    """Print and return every split, then the means, the mean ranks and the share of the time."""
    header = ("table", "split", "Headway", "winner", "seconds", "AutoGluon", "seconds", "difference")
    rows = [
        [
            one.job,
            one.split,
            f"{one.score:.4f}",
            one.winner,
            f"{one.seconds:.1f}",
            f"{one.peer_score:.4f}",
            f"{one.peer_seconds:.1f}",
            f"{one.score - one.peer_score:+.4f}",
        ]
        for one in races
    ]
    text = print_table("Every split", header, rows) + "\n"
    header = ("table", "Headway", "AutoGluon", "Headway's mean rank", "AutoGluon's", "Headway's share of the seconds")
    means = [mean_row(name, [one for one in races if one.job == name]) for name in dict.fromkeys(r.job for r in races)]
    if len(means) > 1:
        means.append(mean_row("all", races))
    return text + print_table("Means over the splits", header, means)


def mean_row(name: str, races: list[Race]) -> list[str]:
    """Return one line of means; a rank is 1 or 2, 1.5 for both where they are equal."""
    rank = np.mean([1.5 - 0.5 * np.sign(one.score - one.peer_score) for one in races])
    share = sum(one.seconds for one in races) / sum(one.peer_seconds for one in races)
    ours, theirs = np.mean([one.score for one in races]), np.mean([one.peer_score for one in races])
    return [name, f"{ours:.4f}", f"{theirs:.4f}", f"{rank:.2f}", f"{3 - rank:.2f}", f"{share:.2f}"]
