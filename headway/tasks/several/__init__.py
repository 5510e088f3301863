"""Several targets per row, each with a task of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from headway.runtime.manifest import output_name
from headway.tasks.classify import Classify
from headway.tasks.regress import Regress


@dataclass(frozen=True)
class Part:
    """One of several targets: its column, its own task, and the metric that it counts by among the others.

    `metric` is at most 1 and the larger the better: accuracy or its like, or r2. `positive` is the class that the
    curves of a two-class target look for, None for other tasks.
    """

    name: str
    task: Classify | Regress
    metric: str
    positive: int | None = None

    @property
    def output(self) -> str:
        """Return the name of the graph's output that answers it."""
        return output_name(self.task.kind, self.name)


@dataclass(frozen=True)
class Several:
    """Predict several targets at once.

    A target is float32 `[rows, parts]`: class indices or values, NaN where it is missing. An answer is float32
    `[rows, width]`: the answers of the parts side by side, probabilities of labels or one value.
    """

    parts: tuple[Part, ...]
    kind: Literal["several"] = "several"

    @property
    def width(self) -> int:
        """Return the number of outputs of all parts together."""
        return sum(part.task.width for part in self.parts)

    @property
    def outputs(self) -> dict[str, int]:
        """Return the outputs of a graph, each with its figures a row."""
        return {part.output: part.task.width for part in self.parts}

    @property
    def spans(self) -> tuple[slice, ...]:
        """Return which columns of an answer are each part's."""
        ends = np.cumsum([0, *(part.task.width for part in self.parts)]).tolist()
        return tuple(slice(start, end) for start, end in pairwise(ends))

    def known(self, y: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of the rows that have the target of a part, and the targets as its own task has them.

        `y`: `[n, parts]`. Positions int64 `[k]`; targets int64 class indices or float32 values, `[k]`.
        """
        positions = np.flatnonzero(~np.isnan(y[:, place]))
        kind = np.int64 if self.parts[place].task.kind == "classify" else np.float32
        return positions, y[positions, place].astype(kind)

    def answers(self, answers: np.ndarray, place: int) -> np.ndarray:
        """Return the answers of a part as its own task has them: `[n, labels]`, or values `[n]`."""
        own = answers[:, self.spans[place]]
        return own if self.parts[place].task.kind == "classify" else own[:, 0]
