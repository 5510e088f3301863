"""What an evaluation hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headway.runtime.manifest import Label


@dataclass(frozen=True)
class Slice:
    """A part of the rows where the model does worse than elsewhere.

    `column` is an input; `aspect` says what of it the `condition` speaks of: "value" ("= 3" or a category), "range"
    (">= 10, < 20"), "length" in characters, "language" ("zh", "en", "other") or "missing" (no condition). `score` and
    `overall` are accuracies, or mean absolute errors; `p_value` is corrected for the number of parts looked at.
    """

    column: str
    condition: str
    rows: int
    score: float
    overall: float
    aspect: str = "value"
    p_value: float = 0.0


@dataclass(frozen=True)
class Mistake:
    """One wrong answer with its row: position in the evaluated rows, the cells, truth, answer and confidence.

    For regression one of the largest errors, with no confidence.
    """

    position: int
    cells: Mapping[str, object]
    actual: Label
    predicted: Label
    confidence: float | None


@dataclass(frozen=True)
class Scores:
    """How good a set of answers is.

    `metrics` and `intervals` (bootstrap 95%, headline metrics only) by name; `per_class`: label (as a string) ->
    precision, recall, f1, support; `confusion`: `[actual, predicted]` counts for classification, None for regression;
    `calibration`: (mean confidence, accuracy, rows) per bin. `targets`: of several targets the scores of each by its
    name, over the rows that have it; `metrics` then holds them all under names such as `accuracy:topic`.
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
    targets: Mapping[str, Scores] = field(default_factory=dict)
