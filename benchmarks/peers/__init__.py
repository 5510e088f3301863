"""The peers that need a virtual environment of their own: what they are given, and what they answer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.shared import call, peer_python

# The latest version when the targets were measured; torch without CUDA is enough for it.
AUTOGLUON = ("torch==2.13.0", "autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3")


@dataclass(frozen=True)
class Answered:
    """A peer's probabilities for the test rows, a column per label, and its cost.

    `seconds`: wall time of the whole process, `fit_seconds` of the fit alone. `row_ms`: median of single rows.
    """

    probabilities: pl.DataFrame
    seconds: float
    fit_seconds: float
    rows_per_second: float
    row_ms: float
    peak_mb: float


def run_autogluon(folder: Path, train: Path, test: Path, *, target: str, metric: str, limit: float) -> Answered:
    """Fit AutoGluon Tabular (medium quality) on `train` within `limit` seconds and answer `test`.

    Raises `SkippedError` where it cannot be installed, and `RuntimeError` with its words where it gives up.
    """
    python = peer_python("autogluon", *AUTOGLUON)
    answers = folder / "autogluon.csv"
    script = Path(__file__).with_name("autogluon_tabular.py")
    began = time.monotonic()
    spent = call(python, script, train, test, target, metric, str(limit), answers)
    seconds = time.monotonic() - began
    told = json.loads(spent.printed.strip().splitlines()[-1])
    return Answered(
        pl.read_csv(answers), seconds, told["seconds"], told["rows_per_second"], told["row_ms"], spent.peak_mb
    )
