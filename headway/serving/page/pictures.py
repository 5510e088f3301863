"""The live figures as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from headway.report.charts.axes import Scale, draw_y, span_linear
from headway.report.charts.canvas import Drawing, circle, line, measure, path, words
from headway.report.markup import Markup

_HEIGHT = 190

# One line: its name, its class in the style, and (minutes ago, value or None) from old to new.
Series = tuple[str, str, Sequence[tuple[float, float | None]]]


def draw_minutes(series: Sequence[Series], width: int, *, minutes: float, x_name: str, whole: bool = False) -> Drawing:
    """Draw lines over the last `minutes`; where there is no value the line is interrupted."""
    left, top, right, bottom = 52.0, 34.0, width - 12.0, _HEIGHT - 40.0
    values = [value for _, _, points in series for _, value in points if value is not None]
    low, high, ticks = span_linear(values or [1.0], ticks=4, zero=True)
    if whole and high < 1:
        low, high, ticks = 0.0, 1.0, [0.0, 1.0]
    x, y = Scale(-minutes, 0, left, right), Scale(low, high, bottom, top)
    parts: list[Markup] = [*draw_y(y, ticks, left, right)]
    parts += [
        words(x.place(-ago), bottom + 17, str(ago), "tick", anchor="middle") for ago in range(0, int(minutes) + 1, 2)
    ]
    parts.append(words((left + right) / 2, bottom + 34, x_name, "axis", anchor="middle"))
    legend = left
    for name, kind, points in series:
        for run in _runs(points):
            placed = [(x.place(-ago), y.place(value)) for ago, value in run]
            parts.append(path(placed, f"curve {kind}") if len(placed) > 1 else circle(*placed[0], 2.5, f"speck {kind}"))
        parts.append(line(legend, 15, legend + 18, 15, f"curve {kind}"))
        parts.append(words(legend + 24, 19, name, "tick"))
        legend += 44 + measure(name)
    return Drawing(_HEIGHT, parts)


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Return the stretches of a line that have values."""
    runs: list[list[tuple[float, float]]] = [[]]
    for ago, value in points:
        if value is None:
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append((ago, value))
    return [run for run in runs if run]
