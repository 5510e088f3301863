import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.report.charts.canvas import NARROW, WIDE, measure
from headway.report.charts.scatter import Box, Dot, draw_pairs, draw_scatter

NAMES = ("baseline", "ngram_linear", "bag", "lstm", "text_cnn", "trees", "mlp", "ngram_linear+text_cnn")


def boxes(markup: str) -> list[Box]:
    """Return where the names of dots stand."""
    found = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" class="name [^"]*"(?: text-anchor="(\w+)")?>([^<]+)', markup)
    made = []
    for x, y, anchor, text in found:
        size = measure(text)
        left = float(x) - {"": 0, "middle": size / 2, "end": size}[anchor]
        made.append(Box(left, float(y) - 9, left + size, float(y) + 3))
    return made


@settings(max_examples=60, deadline=None)
@given(
    spots=st.lists(
        st.tuples(st.floats(0.02, 50), st.floats(0.5, 0.99)), min_size=2, max_size=8, unique_by=lambda spot: spot[0]
    ),
    width=st.sampled_from([WIDE, NARROW]),
)
def test_names_stay_inside_the_picture(spots, width):
    dots = [Dot(x, y, name, "ok", "") for (x, y), name in zip(spots, NAMES, strict=False)]
    drawing = draw_scatter(dots, width, x_name="ms", y_name="score", x_limit=5.0, limit_name="limit")
    for box in boxes("".join(drawing.parts)):
        assert box.left >= 0
        assert box.right <= width
        assert 0 <= box.top <= box.bottom <= drawing.height


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_names_of_dots_in_one_place_do_not_cover_each_other(width):
    dots = [Dot(0.3 + i / 1000, 0.9 + i / 10_000, name, "ok", "") for i, name in enumerate(NAMES[:6])]
    dots += [Dot(0.03, 0.6, "low", "ok", ""), Dot(8.0, 0.91, "slow", "won", "")]
    placed = boxes("".join(draw_scatter(dots, width, x_name="ms", y_name="score").parts))
    assert len(placed) == 8
    for i, one in enumerate(placed):
        for other in placed[i + 1 :]:
            assert one.overlap(other) < 12


def test_better_is_up_even_where_smaller_is_better():
    dots = [Dot(1, 10, "good", "won", ""), Dot(2, 20, "bad", "ok", "")]
    up = "".join(draw_scatter(dots, WIDE, x_name="", y_name="", downwards=True).parts)
    good, bad = (float(re.search(rf'cy="([\d.]+)" r="6" class="dot {kind}"', up).group(1)) for kind in ("won", "ok"))
    assert good < bad


def test_pairs_lie_on_the_diagonal_where_both_are_equal():
    parts = "".join(draw_pairs([(1.0, 1.0), (3.0, 3.0)], 400, x_name="", y_name="").parts)
    (x1, y1), (x2, y2) = ((float(a), float(b)) for a, b in re.findall(r'circle cx="([\d.]+)" cy="([\d.]+)"', parts))
    line = re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="diagonal"', parts)
    left, bottom, right, top = map(float, line.groups())
    assert (y2 - y1) / (x2 - x1) == pytest.approx((top - bottom) / (right - left), rel=0.01)
