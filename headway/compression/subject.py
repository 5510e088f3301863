"""What is to become smaller, and the rows that judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headway.data.dataset import Fold
from headway.evaluation.decisions import Costs, decide
from headway.models.family import Examples
from headway.package.graph import Graph
from headway.runtime.feeds import Cells
from headway.tasks import Classify, Task
from headway.training.trial import columns_of

# Rows that show how large activations become; they are rows that the model learnt from, never those that judge.
CALIBRATION_ROWS = 128


@dataclass(frozen=True)
class Subject:
    """A model twice: `judged` learnt from `fold.train` alone, `shipped` from all of `train` (or is the same graph).

    A change is tried on `judged` and proven on the rows of `fold.valid`, which no change may learn from or be
    calibrated with; then the same change is made to `shipped`. `train` (`[k]`) and the fold are positions in
    `examples`. `threshold` (class, probability) or `costs` decide the answers. `limits` are ceilings for what ships:
    latency_p50_ms, latency_p95_ms, size_mb, memory_mb.
    """

    judged: Graph
    shipped: Graph
    examples: Examples
    train: np.ndarray
    fold: Fold
    task: Task
    metric: str
    positive: int | None = None
    threshold: tuple[int, float] | None = None
    costs: Costs | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def is_refitted(self) -> bool:
        """Tell whether what ships learnt from more rows than what is judged."""
        return self.shipped is not self.judged

    @cached_property
    def exam(self) -> Examples:
        """Return the rows that judge."""
        return self.examples.take(self.fold.valid)

    @cached_property
    def exam_columns(self) -> Mapping[str, Cells]:
        """Return the rows that judge, by column."""
        return columns_of(self.exam.rows)

    @cached_property
    def calibration(self) -> Mapping[str, Cells]:
        """Return a few rows to calibrate with, by column."""
        chosen = np.random.default_rng(self.seed).permutation(self.fold.train)[:CALIBRATION_ROWS]
        return columns_of(self.examples.take(np.sort(chosen)).rows)

    def decided(self, answers: np.ndarray) -> np.ndarray | None:
        """Return the chosen class of each row, None for values."""
        if not isinstance(self.task, Classify):
            return None
        return decide(answers, threshold=self.threshold, costs=self.costs)
