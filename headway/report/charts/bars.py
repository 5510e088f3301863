"""Level bars, with an interval where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headway.report.charts.axes import Scale, span_linear
from headway.report.charts.canvas import Drawing, line, measure, rectangle, shorten, words
from headway.report.markup import Markup

ROW = 28.0


@dataclass(frozen=True)
class Bar:
    """One bar: its name, value, the value in words, an interval and its class in the style."""

    name: str
    value: float
    text: str
    interval: tuple[float, float] | None = None
    kind: str = ""


def draw_bars(bars: Sequence[Bar], width: int, *, top_value: float | None = None) -> Drawing:
    """Draw bars from 0; `top_value` is the end of the scale, e.g. 1 for shares."""
    reach = [*(bar.value for bar in bars), *(bar.interval[1] for bar in bars if bar.interval)]
    high = top_value if top_value is not None else span_linear(reach, zero=True)[1]
    left = min(width * 0.42, max((measure(bar.name) for bar in bars), default=0) + 12)
    right = width - max((measure(bar.text) for bar in bars), default=0) - 14
    scale = Scale(0, high or 1, left, right)
    parts: list[Markup] = [line(left, 2, left, len(bars) * ROW + 2, "ground")]
    for i, bar in enumerate(bars):
        y = i * ROW + 4
        end = scale.place(bar.value)
        name = shorten(bar.name, left - 10)
        parts.append(words(left - 8, y + 15, name, "tick", anchor="end", note=bar.name if name != bar.name else None))
        parts.append(rectangle(left, y, end - left, ROW - 8, f"bar {bar.kind}", note=f"{bar.name}: {bar.text}"))
        if bar.interval is not None:
            end = max(end, scale.place(bar.interval[1]))
            parts += _whisker(scale.place(bar.interval[0]), scale.place(bar.interval[1]), y + (ROW - 8) / 2)
        parts.append(words(end + 7, y + 15, bar.text, "value"))
    return Drawing(len(bars) * ROW + 6, parts)


def _whisker(low: float, high: float, y: float) -> list[Markup]:
    return [
        line(low, y, high, y, "whisker"),
        line(low, y - 4, low, y + 4, "whisker"),
        line(high, y - 4, high, y + 4, "whisker"),
    ]
