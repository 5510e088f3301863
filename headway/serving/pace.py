"""How fast a model is on this machine, measured when it is opened, and what follows for its batches."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headway.runtime import Model
from headway.runtime.manifest import ImageFeed, InputColumn

# A model this fast is called in the event loop itself: handing over to a thread would cost more than it.
_INLINE_ROW, _INLINE_BATCH = 1e-3, 6e-3
# Calls of each kind after one to warm up, and the seconds that those of one kind may take; a start waits for less.
_TRIES, _PATIENCE, _HURRY = 3, 0.4, 0.04
_FEWEST_ROWS, _MOST_ROWS = 4, 32


@dataclass(frozen=True)
class Pace:
    """Seconds that a call takes (`call`) and that each item of its rectangle adds (`item`).

    The items of a row are its text's characters and one more; a batch of `n` rows has `n` times those of its longest.
    """

    call: float
    item: float
    row_items: float
    has_text: bool
    has_image: bool

    @property
    def inline(self) -> bool:
        """Tell whether the model is fast enough to be called in the event loop."""
        fast = self.of(1, self.row_items) <= _INLINE_ROW and self.of(64, self.row_items) <= _INLINE_BATCH
        return fast and not self.has_image

    def of(self, rows: int, longest: float) -> float:
        """Return the seconds that a batch takes."""
        return self.call + self.item * rows * longest


def measure_pace(model: Model, *, quick: bool = False) -> Pace:
    """Warm the model up and measure it, on the example of its manifest; takes less than a second.

    A `quick` measurement is coarser, and takes about ten calls with one row.
    """
    patience = _HURRY if quick else _PATIENCE
    row = example_row(model)
    texts = [column.name for column in model.manifest.inputs if column.modality == "text"]
    has_image = any(isinstance(feed, ImageFeed) for feed in model.manifest.feeds)
    small = _items(row, texts)
    one = _seconds(model, [row], patience)
    rows = min(_MOST_ROWS, max(_FEWEST_ROWS, int(patience / one)))
    many = _seconds(model, [row] * rows, patience)
    item = max(0.0, (many - one) / (small * (rows - 1)))
    return Pace(max(1e-6, one - item * small), item, small, bool(texts), has_image)


def example_row(model: Model) -> dict[str, Any]:
    """Return one row that the model can read: the examples of its manifest, or plain values."""
    sizes = {feed.columns[0]: (feed.height, feed.width) for feed in model.manifest.feeds if isinstance(feed, ImageFeed)}
    needed = model.columns
    known = {column.name: column for column in model.manifest.inputs}
    return {name: _example(known.get(name), sizes.get(name)) for name in needed}


def _example(column: InputColumn | None, size: tuple[int, int] | None) -> Any:
    if size is not None:
        return np.full((*size, 3), 127, dtype=np.uint8)
    if column is None:
        return None
    if column.example is not None:
        return column.example
    plain = {"text": "an example", "number": 0.0, "date": "2026-01-01", "category": next(iter(column.categories), "")}
    return plain.get(column.modality)


def _items(row: Mapping[str, Any], texts: list[str]) -> int:
    return 1 + sum(len(str(row[name])) for name in texts if name in row)


def _seconds(model: Model, rows: list[dict[str, Any]], patience: float) -> float:
    """Return the best of a few calls after one to warm up; a slow model is called less often."""
    model.predict(rows)
    best, deadline = float("inf"), time.perf_counter() + patience
    for _ in range(_TRIES):
        start = time.perf_counter()
        model.predict(rows)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > deadline:
            break
    return best
