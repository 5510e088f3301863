"""What an evaluation hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headway.runtime.manifest import Label


@dataclass(frozen=True)
class Slice:
    """A part of the rows where the model does worse: `column` `condition`, e.g. "length" ">= 120"."""

    column: str
    condition: str
    rows: int
    score: float
    overall: float


@dataclass(frozen=True)
class Mistake:
    """One wrong answer with its row: position in the evaluated rows, the cells, truth, answer and confidence."""

    position: int
    cells: Mapping[str, object]
    actual: Label
    predicted: Label
    confidence: float


@dataclass(frozen=True)
class Scores:
    """How good a set of answers is.

    `metrics` and `intervals` (bootstrap 95%, headline metrics only) by name; `per_class`: label (as a string) ->
    precision, recall, f1, support; `confusion`: `[actual, predicted]` counts for classification, None for regression;
    `calibration`: (mean confidence, accuracy, rows) per bin.
    """

    task: str
    rows: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    confusion: np.ndarray | None = None
    calibration: tuple[tuple[float, float, int], ...] = ()
    slices: tuple[Slice, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
