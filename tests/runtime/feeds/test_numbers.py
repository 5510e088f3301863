import contextlib
import math
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InputError
from headway.runtime.feeds import encode
from headway.runtime.manifest import NumberFeed

FEED = NumberFeed("numbers", ("a",))


def numbers(cells, *, strict=True):
    return encode(FEED, {"a": cells}, files={}, strict=strict)["numbers"][:, 0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234.5", 1234.5),
        ("-1,234,567", -1234567),
        (" 12 ", 12),
        ("１２", 12),
        (True, 1),
        (np.float64(2.5), 2.5),
        (Decimal("2.5"), 2.5),
        (np.int8(3), 3),
        (np.bool_(1), 1),
        ("1e3", 1000),
        ("¥300.12", np.float32(300.12)),
        ("￥ 300", 300),
        ("$1,200.50", 1200.5),
        ("-$1,200", -1200),
        ("€.5", 0.5),
    ],
)
def test_a_number_is_read_however_it_is_written(cell, value):
    assert numbers([cell]).tolist() == [value]


@pytest.mark.parametrize("cell", ["", None, math.nan, "NA", "n/a", "null", "None", "?", "-", "  ", np.float32("nan")])
def test_an_empty_cell_is_nan(cell):
    assert math.isnan(numbers([cell])[0])


@pytest.mark.parametrize(
    "cell",
    ["twelve", "1,23", "1,2345", "12%", "3.5万", "$", "$$1", "$ten", "$1,23", "$-1", "5$", b"12", [1], {}, 3j, "1.2.3"],
)
def test_an_unreadable_cell_names_row_column_and_value(cell):
    with pytest.raises(InputError, match="row 2, column 'a'"):
        numbers([1, cell])
    assert math.isnan(numbers([1, cell], strict=False)[1])


def test_infinite_and_huge_numbers_stay_finite():
    largest = np.finfo(np.float32).max
    assert numbers([math.inf, -math.inf, 1e300, 10**400, "inf"]).tolist() == [largest, -largest, *[largest] * 3]


def test_arrays_and_series_give_what_lists_give():
    cells = [1.5, None, -2.0]
    for given_cells in (cells, np.array([1.5, math.nan, -2.0]), pl.Series(cells), np.array(cells, dtype=object)):
        np.testing.assert_array_equal(numbers(given_cells), np.array([1.5, math.nan, -2.0], np.float32))
    assert numbers(pl.Series([1, None])).tolist()[0] == 1
    assert numbers(np.array([True, False])).tolist() == [1, 0]
    assert numbers(["1.5", "2"]).tolist() == [1.5, 2]


def test_columns_stand_side_by_side_and_may_be_empty():
    table = encode(NumberFeed("n", ("b", "a")), {"a": [1, 2], "b": [3, 4]}, files={})["n"]
    assert table.tolist() == [[3, 1], [4, 2]]
    assert table.dtype == np.float32
    assert numbers([]).shape == (0,)


def test_a_missing_column_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'amuont'"):
        encode(NumberFeed("n", ("amount",)), {"amuont": [1]}, files={})


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), max_size=5))
def test_any_cell_gives_a_finite_number_nan_or_an_input_error(cells):
    assert not np.isinf(numbers(cells, strict=False)).any()
    with contextlib.suppress(InputError):
        assert numbers(cells).dtype == np.float32


@given(st.lists(st.floats(width=32, allow_infinity=False, allow_nan=False), min_size=1))
def test_text_and_floats_agree(values):
    np.testing.assert_array_equal(numbers([str(value) for value in values]), np.array(values, np.float32))
