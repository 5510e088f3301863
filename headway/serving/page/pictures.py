"""The live figures as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from headway.report.charts.axes import Scale, draw_x, draw_y, span_linear
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


def draw_band(points: Sequence[tuple[float, float, float, float]], width: int, *, x_name: str) -> Drawing:
    """Draw a value with its interval over time: (time, value, low, high) from old to new, and a line at zero."""
    left, top, right, bottom = 62.0, 14.0, width - 12.0, _HEIGHT - 40.0
    # The first intervals are as wide as all that can be; they would make the rest a line.
    late = points[len(points) // 4 :]
    values = [0.0, *(each for _, value, low, high in late for each in (value, low, high))]
    low, high, ticks = span_linear(values, ticks=4)
    x_low, x_high, x_ticks = span_linear([0.0, points[-1][0]], ticks=5)
    x, y = Scale(x_low, x_high, left, right), Scale(low, high, bottom, top)

    def placed(time: float, value: float) -> tuple[float, float]:
        return x.place(time), y.place(min(max(value, low), high))

    lower = [placed(time, below) for time, _, below, _ in points]
    upper = [placed(time, above) for time, _, _, above in points]
    parts = [
        *draw_y(y, ticks, left, right),
        *draw_x(x, x_ticks, top, bottom, x_name),
        path([*upper, *reversed(lower)], "band"),
        line(left, y.place(0), right, y.place(0), "zero"),
        path([placed(time, value) for time, value, _, _ in points], "curve first"),
    ]
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
