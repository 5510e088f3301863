"""Lines, boxes and words of an SVG; colours and fonts come from the page's style by class."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headway.report.markup import Markup, element, join

# Every chart is drawn twice, for a page and for a phone, because scaled words cannot be read.
WIDE, NARROW = 720, 340
FONT = 12.5


@dataclass(frozen=True)
class Drawing:
    """A picture of the given height in units of the page's pixels."""

    height: float
    parts: Sequence[Markup]


def figure(
    draw: Callable[[int], Drawing], *, title: str, description: str, caption: str = "", wide: int = WIDE
) -> Markup:
    """Return a figure that holds the drawing for a wide and for a narrow page, and shows the one that fits."""
    drawn = [_svg(draw(width), width, kind, title, description) for width, kind in ((wide, "wide"), (NARROW, "narrow"))]
    words = join([element("strong", title), " ", caption])
    return element("figure", element("figcaption", words), *drawn)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Return a straight line."""
    return element("line", attributes={"x1": _r(x1), "y1": _r(y1), "x2": _r(x2), "y2": _r(y2), "class": kind})


def path(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    """Return a line through all points."""
    steps = "L".join(f"{_r(x)} {_r(y)}" for x, y in points)
    return element("path", attributes={"d": f"M{steps}", "class": kind})


def rectangle(
    x: float, y: float, width: float, height: float, kind: str, *, note: str | None = None, opacity: float | None = None
) -> Markup:
    """Return a box; `note` is shown when the mouse rests on it."""
    attributes = {"x": _r(x), "y": _r(y), "width": _r(max(width, 0)), "height": _r(max(height, 0)), "class": kind}
    if opacity is not None:
        attributes["fill-opacity"] = f"{opacity:.3g}"
    return element("rect", _title(note), attributes=attributes)


def circle(x: float, y: float, radius: float, kind: str, *, note: str | None = None) -> Markup:
    """Return a dot; `note` is shown when the mouse rests on it."""
    return element("circle", _title(note), attributes={"cx": _r(x), "cy": _r(y), "r": _r(radius), "class": kind})


def words(
    x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", turn: float = 0, note: str | None = None
) -> Markup:
    """Return text whose baseline starts, centres or ends at a point; `turn` in degrees around it."""
    attributes = {"x": _r(x), "y": _r(y), "class": kind or None, "text-anchor": anchor if anchor != "start" else None}
    if turn:
        attributes["transform"] = f"rotate({_r(turn)} {_r(x)} {_r(y)})"
    return element("text", text, _title(note), attributes=attributes)


def measure(text: str, size: float = FONT) -> float:
    """Return about how wide a text will be: a Chinese character is a square, a Latin letter about half of one."""
    return size * sum(1.0 if unicodedata.east_asian_width(each) in "WF" else _latin(each) for each in text)


def shorten(text: str, room: float, size: float = FONT) -> str:
    """Return the text, cut with an ellipsis where it is wider than `room`."""
    text = " ".join(text.split())
    if measure(text, size) <= room:
        return text
    while text and measure(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _svg(drawing: Drawing, width: int, kind: str, title: str, description: str) -> Markup:
    attributes = {
        "viewBox": f"0 0 {width} {_r(drawing.height)}",
        "width": width,
        "height": _r(drawing.height),
        "class": kind,
        "role": "img",
        "aria-label": title,
    }
    return element("svg", element("desc", description), *drawing.parts, attributes=attributes)


def _latin(letter: str) -> float:
    # Taken from a wide font, so that a narrow one leaves room rather than running over.
    if letter in "iljtfrI.,:;'|! ()[]":
        return 0.4
    return 0.97 if letter in "mwMW@%" else 0.7 if letter.isupper() else 0.62


def _title(note: str | None) -> Markup | None:
    return None if note is None else element("title", note)


def _r(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
