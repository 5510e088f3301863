import re

import pytest

from headway.report.charts.canvas import NARROW, WIDE
from headway.report.charts.lines import draw_calibration, draw_curves


def test_a_falling_loss_falls():
    parts = "".join(draw_curves([("train", "first", (3.0, 2.0, 1.0))], WIDE, x_name="epoch").parts)
    steps = re.search(r'<path d="M([^"]+)" class="curve first"', parts).group(1).split("L")
    points = [tuple(map(float, step.split())) for step in steps]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)


def test_on_a_logarithmic_scale_each_tenth_falls_as_far():
    parts = "".join(draw_curves([("distance", "first", (100.0, 10.0, 1.0))], WIDE, x_name="look", log=True).parts)
    steps = re.search(r'<path d="M([^"]+)" class="curve first"', parts).group(1).split("L")
    first, second, third = (float(step.split()[1]) for step in steps)
    assert second - first == pytest.approx(third - second, abs=0.2)


def test_one_epoch_is_a_dot():
    parts = "".join(draw_curves([("train", "first", (3.0,))], NARROW, x_name="epoch").parts)
    assert "<circle" in parts
    assert "<path" not in parts


def test_a_calibrated_bin_lies_on_the_diagonal():
    parts = "".join(
        draw_calibration([(0.6, 0.6, 10), (0.9, 0.9, 40)], 400, x_name="", y_name="", rows_name="rows").parts
    )
    left, bottom, right, top = map(
        float, re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="diagonal"', parts).groups()
    )
    for x, y in re.findall(r'circle cx="([\d.]+)" cy="([\d.]+)"', parts):
        share = (float(x) - left) / (right - left)
        assert float(y) == pytest.approx(bottom + share * (top - bottom), abs=0.5)
