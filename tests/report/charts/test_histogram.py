import re

from headway.report.charts.canvas import WIDE
from headway.report.charts.histogram import draw_histogram


def test_every_value_is_in_one_bar():
    parts = "".join(draw_histogram([1.0] * 7 + [2.0] * 3 + [9.5], WIDE, x_name="price", y_name="rows").parts)
    assert sum(int(count) for count in re.findall(r": (\d+)</title>", parts)) == 11


def test_equal_values_can_be_drawn():
    assert draw_histogram([5.0, 5.0], WIDE, x_name="", y_name="").parts
