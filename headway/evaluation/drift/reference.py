"""What a package keeps of its training rows: counts, never rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Aspect = Literal[
    "value", "range", "missing", "length", "language", "group", "strangeness", "weekday", "hour", "brightness",
    "contrast", "answer", "confidence", "mistakes",
]  # fmt: skip
Kind = Literal["text", "number", "category", "date", "image"]


@dataclass(frozen=True)
class View:
    """One way to sort rows into cells, and how many reference rows fell into each.

    `column` is an input, "" for the answers; of several targets `target` is whose answers. `counts` has one entry a
    cell. Cells are named by `names` (category, label, weekday), or are bins between `edges` (ascending, one fewer than
    the bins). Where an input is missing in some rows, a last cell counts those; for a category the cell before it
    counts all other values.
    """

    column: str
    aspect: Aspect
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    target: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return what no other view of a package has: the column or target, and the aspect."""
        return self.column or self.target, self.aspect

    @property
    def cells(self) -> tuple[str, ...]:
        """Return what each cell is, in short words."""
        if self.names:
            return self.names
        bins = len(self.edges) + 1
        low_high = zip((None, *self.edges), (*self.edges, None), strict=True)
        texts = [_bin(low, high) for low, high in low_high] if self.edges else [str(n + 1) for n in range(bins)]
        return (*texts, *["missing"] * (len(self.counts) - len(texts)))


@dataclass(frozen=True)
class Codebook:
    """Groups of similar texts or pictures of one column.

    `centres`: unit vectors float32 `[groups, size]`; `weights`: of each component, float32 `[size]`. A row belongs to
    the group with the largest cosine.
    """

    column: str
    kind: Kind
    centres: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Reference:
    """All views of a package's inputs and answers.

    `kinds`: the inputs that are watched, and how each is read. `task` tells whether answers are labels or values, or
    those for several targets.
    """

    task: Literal["classify", "regress", "several"]
    kinds: dict[str, Kind]
    views: tuple[View, ...]
    codebooks: tuple[Codebook, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the targets whose answers are watched, "" for the only one; none in packages that lack them."""
        return tuple(view.target for view in self.views if view.aspect == "answer")

    def only(self, columns: Collection[str]) -> Reference:
        """Return the reference without the inputs that are not among `columns`."""
        return replace(
            self,
            kinds={name: kind for name, kind in self.kinds.items() if name in columns},
            views=tuple(view for view in self.views if not view.column or view.column in columns),
            codebooks=tuple(book for book in self.codebooks if book.column in columns),
        )

    @property
    def inputs(self) -> tuple[View, ...]:
        """Return the views of the inputs."""
        return tuple(view for view in self.views if view.column)

    def of(self, target: str, *aspects: Aspect) -> tuple[View, ...]:
        """Return the views of the answers for a target."""
        return tuple(view for view in self.views if view.aspect in aspects and view.target == target)


def _bin(low: float | None, high: float | None) -> str:
    if low is None:
        return f"< {high:.4g}"
    return f">= {low:.4g}" if high is None else f"{low:.4g} to {high:.4g}"
