import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.report.charts.axes import Scale, span_linear, span_log, write_tick

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


@given(values=st.lists(NUMBERS, min_size=1, max_size=20))
def test_a_linear_range_holds_all_values_in_a_few_equal_steps(values):
    low, high, ticks = span_linear(values)
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert low - slack <= min(values) <= max(values) <= high + slack
    assert 2 <= len(ticks) <= 12
    steps = [b - a for a, b in pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


@given(values=st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20))
def test_a_logarithmic_range_holds_all_values(values):
    low, high, ticks = span_log(values)
    assert low <= min(values) <= max(values) <= high
    assert 1 <= len(ticks) <= 12
    assert all(low <= tick <= high * (1 + 1e-9) for tick in ticks)


def test_a_scale_places_its_ends():
    linear, log = Scale(0, 10, 100, 200), Scale(0.1, 10, 0, 200, log=True)
    assert [linear.place(value) for value in (0, 5, 10)] == [100, 150, 200]
    assert log.place(1) == pytest.approx(100)
    assert math.isfinite(log.place(0))
    assert Scale(3, 3, 0, 10).place(3) == 5


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0.25, 0.25, "0.25"),
        (0.5, 0.5, "0.5"),
        (1000, 500, "1,000"),
        (2.5, 2.5, "2.5"),
        (0, 1, "0"),
        (2e7, 1e7, "2e+07"),
    ],
)
def test_a_tick_is_as_short_as_its_step(value, step, text):
    assert write_tick(value, step) == text


def test_logarithmic_ticks_are_plain_numbers():
    assert [write_tick(value) for value in (0.05, 1.0, 20.0, 1000.0)] == ["0.05", "1", "20", "1,000"]
