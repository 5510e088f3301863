import re

from headway.report.charts.bars import Bar, draw_bars
from headway.report.charts.canvas import NARROW, WIDE, measure


def test_bars_names_and_values_stay_inside():
    bars = [
        Bar("balance_not_updated_after_cheque_or_cash_deposit", 5000, "5,000 (50.0%)"),
        Bar("很长很长很长很长很长很长很长很长的标签名称", 10_000, "10,000 (100%)", (9000, 10_000)),
        Bar("none", 0, "0 (0%)"),
    ]
    for width in (WIDE, NARROW):
        parts = "".join(draw_bars(bars, width).parts)
        for x, text in re.findall(r'<text x="([\d.]+)"[^>]*class="tick" text-anchor="end">([^<]+)', parts):
            assert float(x) - measure(text) >= 0
        for x, text in re.findall(r'<text x="([\d.]+)"[^>]*class="value">([^<]+)', parts):
            assert float(x) + measure(text) <= width
        assert all(float(size) >= 0 for size in re.findall(r'width="([\d.-]+)"', parts))


def test_bars_are_as_long_as_their_values():
    parts = "".join(draw_bars([Bar("a", 1, "1"), Bar("b", 0.5, "0.5")], WIDE, top_value=1).parts)
    one, half = (float(size) for size in re.findall(r'<rect [^>]*width="([\d.]+)"', parts))
    assert abs(one - 2 * half) < 0.2


def test_all_zero_bars_can_be_drawn():
    assert draw_bars([Bar("a", 0, "0")], WIDE).parts
