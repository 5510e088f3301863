"""Curves over epochs, and how far probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from headway.report.charts.axes import Scale, draw_x, draw_y, span_linear, span_log
from headway.report.charts.canvas import Drawing, circle, line, measure, path, words
from headway.report.markup import Markup


def draw_curves(
    series: Sequence[tuple[str, str, Sequence[float]]], width: int, *, x_name: str, log: bool = False
) -> Drawing:
    """Draw one line per (name, class, values); the first value belongs to epoch 1; `log`: of positive values."""
    height = 250
    left, top, right, bottom = 56.0, 34.0, width - 14.0, height - 50.0
    longest = max(len(values) for _, _, values in series)
    found = [value for _, _, values in series for value in values]
    low, high, ticks = span_log(found) if log else span_linear(found, ticks=4)
    x, y = Scale(1, max(longest, 2), left, right), Scale(low, high, bottom, top, log=log)
    step = max(1, round(max(longest, 2) / (8 if width > 500 else 4)))
    marks = [1.0, *(float(mark) for mark in range(step, max(longest, 2) + 1, step) if mark > 1)]
    parts = [*draw_y(y, ticks, left, right), *draw_x(x, marks, top, bottom, x_name)]
    legend = left
    for name, kind, values in series:
        points = [(x.place(epoch), y.place(value)) for epoch, value in enumerate(values, 1)]
        parts.append(path(points, f"curve {kind}") if len(points) > 1 else circle(*points[0], 4, f"speck {kind}"))
        parts.append(line(legend, 15, legend + 18, 15, f"curve {kind}"))
        parts.append(words(legend + 24, 19, name, "tick"))
        legend += 44 + measure(name)
    return Drawing(height, parts)


def draw_calibration(
    bins: Sequence[tuple[float, float, int]], width: int, *, x_name: str, y_name: str, rows_name: str
) -> Drawing:
    """Draw a reliability diagram: (mean confidence, accuracy, rows) of each bin against the diagonal."""
    height = min(width, 360)
    left, top, right, bottom = 56.0, 34.0, width - 18.0, height - 50.0
    start = 0.0 if not bins or min(min(c, a) for c, a, _ in bins) < 0.5 else 0.5
    ticks = [start + i * (1 - start) / 5 for i in range(6)]
    x, y = Scale(start, 1, left, right), Scale(start, 1, bottom, top)
    parts: list[Markup] = [words(4, 18, y_name, "axis")]
    parts += [*draw_y(y, ticks, left, right), *draw_x(x, ticks, top, bottom, x_name)]
    parts.append(line(left, bottom, right, top, "diagonal"))
    parts.append(path([(x.place(c), y.place(a)) for c, a, _ in bins], "curve first"))
    most = max((rows for _, _, rows in bins), default=1)
    parts += [
        circle(x.place(c), y.place(a), 3 + 8 * (rows / most) ** 0.5, "ball",
               note=f"{c:.3f} → {a:.3f}, {rows:,} {rows_name}")
        for c, a, rows in bins
    ]  # fmt: skip
    return Drawing(height, parts)
