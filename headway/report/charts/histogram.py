"""How values are spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headway.report.charts.axes import Scale, draw_x, draw_y, span_linear
from headway.report.charts.canvas import Drawing, rectangle, words


def draw_histogram(values: Sequence[float], width: int, *, x_name: str, y_name: str) -> Drawing:
    """Draw how many of the values lie in each of about thirty equal steps."""
    height = 230
    left, top, right, bottom = 56.0, 34.0, width - 14.0, height - 50.0
    numbers = np.asarray(values, dtype=np.float64)
    low, high, marks = span_linear([float(numbers.min()), float(numbers.max())], ticks=6 if width > 500 else 4)
    counts, edges = np.histogram(numbers, bins=30 if width > 500 else 20, range=(low, high))
    _, most, ticks = span_linear([float(counts.max())], ticks=4, zero=True)
    x, y = Scale(low, high, left, right), Scale(0, most, bottom, top)
    parts = [words(4, 18, y_name, "axis"), *draw_y(y, ticks, left, right), *draw_x(x, marks, top, bottom, x_name)]
    for count, start, end in zip(counts, edges[:-1], edges[1:], strict=True):
        note = f"{start:.4g} - {end:.4g}: {count:,}"
        x0, x1, up = x.place(start), x.place(end), y.place(float(count))
        parts.append(rectangle(x0 + 0.5, up, x1 - x0 - 1, bottom - up, "bar", note=note))
    return Drawing(height, parts)
