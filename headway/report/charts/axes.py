"""Where a value lies on the page, and which values are worth writing down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headway.report.charts.canvas import line, measure, words
from headway.report.markup import Markup


@dataclass(frozen=True)
class Scale:
    """A range of values laid on a range of the page; `log` for a logarithmic one."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies on the page; values outside stay outside."""
        low, high, value = (
            (math.log10(self.low), math.log10(self.high), math.log10(max(value, 1e-12)))
            if self.log
            else (self.low, self.high, value)
        )
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def span_linear(values: Sequence[float], *, ticks: int = 5, zero: bool = False) -> tuple[float, float, list[float]]:
    """Return a range that holds the values, and round steps in it (low, high, ticks)."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= abs(high) * 1e-9:
        spread = abs(high) * 0.1 or 1.0
        low, high = (low, high + spread) if zero else (low - spread, high + spread)
    step = _round_step((high - low) / ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = [index * step for index in range(first, last + 1)]
    return marks[0], marks[-1], marks


def span_log(values: Sequence[float], *, least: float = 1e-3) -> tuple[float, float, list[float]]:
    """Return a range of 1-2-5 steps that holds the positive values, and the steps to write (low, high, ticks)."""
    positive = [max(value, least) for value in values] or [1.0]
    low, high = min(positive) / 1.25, max(positive) * 1.25
    steps = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
        for digit in (1, 2, 5)
    ]
    first = max(i for i, step in enumerate(steps) if step <= low)
    last = min(i for i, step in enumerate(steps) if step >= high)
    inside = steps[first : last + 1]
    if len(inside) <= 7:
        return inside[0], inside[-1], inside
    decades = [step for step in inside if math.isclose(math.log10(step), round(math.log10(step)), abs_tol=1e-9)]
    return inside[0], inside[-1], decades


def write_tick(value: float, step: float | None = None) -> str:
    """Return a value as short as its step allows."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:.3g}"
    if step is None:
        return f"{value:,.6g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    # A step of 0.25 needs one digit more than its size says.
    digits += 0 if math.isclose(step * 10**digits, round(step * 10**digits), rel_tol=1e-6) else 1
    return f"{value:,.{digits}f}"


def draw_x(scale: Scale, ticks: Sequence[float], top: float, bottom: float, name: str) -> list[Markup]:
    """Return upright grid lines with their values below, and the name of the axis under them."""
    step = None if scale.log or len(ticks) < 2 else ticks[1] - ticks[0]
    parts, free = [], -math.inf
    for tick in ticks:
        x, text = scale.place(tick), write_tick(tick, step)
        parts.append(line(x, top, x, bottom, "grid"))
        if x - measure(text) / 2 > free:
            parts.append(words(x, bottom + 17, text, "tick", anchor="middle"))
            free = x + measure(text) / 2 + 6
    middle = (scale.start + scale.end) / 2
    return [*parts, words(middle, bottom + 36, name, "axis", anchor="middle")]


def draw_y(scale: Scale, ticks: Sequence[float], left: float, right: float) -> list[Markup]:
    """Return level grid lines with their values at the left."""
    step = None if scale.log or len(ticks) < 2 else ticks[1] - ticks[0]
    parts = []
    for tick in ticks:
        y = scale.place(tick)
        parts.append(line(left, y, right, y, "grid"))
        parts.append(words(left - 7, y + 4, write_tick(tick, step), "tick", anchor="end"))
    return parts


def _round_step(step: float) -> float:
    """Return the next step of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(digit for digit in (1, 2, 2.5, 5, 10) if step <= digit * power * (1 + 1e-9))
