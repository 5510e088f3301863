import re

import numpy as np
import pytest

from headway.report.charts.canvas import NARROW, WIDE
from headway.report.charts.heat import draw_confusion, find_worst_pairs

COUNTS = np.array([[8, 2, 0], [0, 10, 0], [3, 0, 0]])


def test_the_worst_pairs_come_first_and_right_answers_are_none():
    assert find_worst_pairs(COUNTS) == [(2, 0, 3, 1.0), (0, 1, 2, 0.2)]
    assert find_worst_pairs(np.eye(3, dtype=int)) == []
    assert len(find_worst_pairs(COUNTS, most=1)) == 1


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_map_holds_every_count_and_stays_inside(width):
    labels = ["short", "a label that is much too long for its cell", "中文标签"]
    drawing = draw_confusion(COUNTS, labels, width, actual="true", predicted="answered")
    parts = "".join(drawing.parts)
    assert parts.count("<rect") == 9
    assert [int(text) for text in re.findall(r">(\d+)</text>", parts)] == [8, 2, 10, 3]
    assert "中文标签 → short: 3 (100.0%)" in parts
    for x, size in re.findall(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"', parts):
        assert float(x) + float(size) <= width


def test_data_stay_where_they_were():
    before = COUNTS.copy()
    find_worst_pairs(COUNTS)
    assert (before == COUNTS).all()
