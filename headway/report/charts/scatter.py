"""Named dots: the leaderboard as a picture, score against latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headway.report.charts.axes import Scale, draw_x, draw_y, span_linear, span_log
from headway.report.charts.canvas import FONT, Drawing, circle, line, measure, rectangle, words
from headway.report.markup import Markup

LINE = FONT + 3


@dataclass(frozen=True)
class Dot:
    """One dot: where it lies, its name, its class in the style ("won", "ok", "over_limit"...) and a note."""

    x: float
    y: float
    name: str
    kind: str
    note: str


@dataclass(frozen=True)
class Box:
    """A part of the page that is taken."""

    left: float
    top: float
    right: float
    bottom: float
    anchor: str = "start"

    @property
    def pin(self) -> float:
        """Return where text is fixed that starts, centres or ends in the box."""
        return {"start": self.left, "middle": (self.left + self.right) / 2, "end": self.right}[self.anchor]

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


def draw_scatter(
    dots: Sequence[Dot],
    width: int,
    *,
    x_name: str,
    y_name: str,
    downwards: bool = False,
    x_limit: float | None = None,
    limit_name: str = "",
) -> Drawing:
    """Draw named dots over a logarithmic x axis; `downwards` puts small values on top, where better ones belong.

    Beyond `x_limit` the ground is shaded. Names are put where they cover neither a dot nor another name.
    """
    height = 340 if width > 500 else 320
    left, top, right, bottom = 56.0, 34.0, width - 14.0, height - 50.0
    x_low, x_high, x_ticks = span_log([*(dot.x for dot in dots), *([] if x_limit is None else [x_limit])])
    y_low, y_high, y_ticks = span_linear([dot.y for dot in dots])
    x = Scale(x_low, x_high, left, right, log=True)
    y = Scale(y_low, y_high, *((top, bottom) if downwards else (bottom, top)))
    parts: list[Markup] = []
    if x_limit is not None:
        edge = x.place(x_limit)
        parts += [rectangle(edge, top, right - edge, bottom - top, "beyond"), line(edge, top, edge, bottom, "limit")]
    parts += [words(4, 18, y_name, "axis"), *draw_y(y, y_ticks, left, right)]
    parts += draw_x(x, x_ticks, top, bottom, x_name)
    placed = [(x.place(dot.x), y.place(dot.y)) for dot in dots]
    parts += [circle(px, py, 6, f"dot {dot.kind}", note=dot.note) for dot, (px, py) in zip(dots, placed, strict=True)]
    taken = [Box(px - 7, py - 7, px + 7, py + 7) for px, py in placed]
    if x_limit is not None and limit_name:
        spot = _find_spot(limit_name, x.place(x_limit), top + 8, taken, Box(left, top, right, bottom))
        taken.append(spot)
        parts.append(words(spot.pin, spot.bottom - 4, limit_name, "limit-name", anchor=spot.anchor))
    # The winner is named first, so that it gets the best place.
    order = sorted(range(len(dots)), key=lambda i: dots[i].kind != "won")
    for i in order:
        spot = _find_spot(dots[i].name, *placed[i], taken, Box(left, top - 12, right, bottom))
        taken.append(spot)
        parts += _lead(placed[i], spot)
        kind = f"name {dots[i].kind}"
        parts.append(words(spot.pin, spot.bottom - 4, dots[i].name, kind, anchor=spot.anchor, note=dots[i].note))
    return Drawing(height, parts)


def draw_pairs(pairs: Sequence[tuple[float, float]], width: int, *, x_name: str, y_name: str) -> Drawing:
    """Draw unnamed dots and the diagonal on which both values are equal."""
    height = min(width, 420)
    left, top, right, bottom = 66.0, 34.0, width - 14.0, height - 50.0
    low, high, ticks = span_linear([value for pair in pairs for value in pair])
    x, y = Scale(low, high, left, right), Scale(low, high, bottom, top)
    parts = [words(4, 18, y_name, "axis"), *draw_y(y, ticks, left, right), *draw_x(x, ticks, top, bottom, x_name)]
    parts.append(line(left, bottom, right, top, "diagonal"))
    parts += [circle(x.place(a), y.place(b), 2.5, "speck") for a, b in pairs]
    return Drawing(height, parts)


def _find_spot(name: str, x: float, y: float, taken: Sequence[Box], room: Box) -> Box:
    """Return the box near a dot that covers least of what is taken and stays in the room."""
    size = measure(name) + 2
    spots = []
    for distance in range(7):
        drop = distance * LINE * 0.75
        for anchor, left in (("start", x + 10), ("end", x - 10 - size), ("middle", x - size / 2)):
            for shift in (drop, -drop) if distance else (0.0,):
                if anchor == "middle" and abs(shift) < LINE:
                    continue
                middle = y + shift
                box = Box(left, middle - LINE / 2, left + size, middle + LINE / 2, anchor)
                outside = size * LINE - box.overlap(room)
                covered = sum(box.overlap(other) for other in taken)
                spots.append((covered + 4 * outside + distance * 1.5, box))
    return min(spots, key=lambda spot: spot[0])[1]


def _lead(dot: tuple[float, float], spot: Box) -> list[Markup]:
    """Return a thin line from a dot to a name that could not be put beside it."""
    x = min(max(dot[0], spot.left), spot.right)
    y = min(max(dot[1], spot.top + 2), spot.bottom - 2)
    distance = ((x - dot[0]) ** 2 + (y - dot[1]) ** 2) ** 0.5
    return [line(dot[0], dot[1], x, y, "lead")] if distance > 14 else []
