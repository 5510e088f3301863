import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InputError
from headway.runtime.feeds import encode
from headway.runtime.manifest import CategoryFeed


def categories(cells):
    return encode(CategoryFeed("c", ("a",)), {"a": cells}, files={})["c"][:, 0].tolist()


@pytest.mark.parametrize(
    ("cell", "spelling"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1.0", "1"),
        ("1.50", "1.50"),
        (np.float32(0.1), "0.1"),
        (True, "true"),
        ("True", "true"),
        ("FALSE", "false"),
        (np.bool_(0), "false"),
        (" red ", "red"),
        ("Red", "Red"),
        (None, ""),
        (math.nan, ""),
        (date(2024, 3, 5), "2024-03-05"),
        (b"blue", "blue"),
        ("红", "红"),
    ],
)
def test_every_value_has_one_spelling(cell, spelling):
    assert categories([cell]) == [spelling]


def test_equal_python_values_keep_their_own_spelling():
    assert categories([True, 1, 1.0, "1"]) == ["true", "1", "1", "1"]


def test_arrays_and_series_give_what_lists_give():
    assert categories(np.array([1.0, 2.5, math.nan])) == categories([1.0, 2.5, None])
    assert categories(np.array(["b", "a"])) == ["b", "a"]
    assert categories(pl.Series(["b", None, "a"])) == ["b", "", "a"]
    assert categories(pl.Series([1, None])) == categories([1, None])
    assert categories(np.array([], dtype=float)) == []


def test_columns_stand_side_by_side():
    table = encode(CategoryFeed("c", ("b", "a")), {"a": ["x", "y"], "b": [1, 2]}, files={})["c"]
    assert table.tolist() == [["1", "x"], ["2", "y"]]
    assert table.dtype == object


def test_a_cell_that_is_no_value_names_its_row():
    with pytest.raises(InputError, match="row 2, column 'a'"):
        categories(["x", ["y"]])


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=5))
def test_spelling_is_stable(cells):
    once = categories(cells)
    assert categories(once) == once
    assert all(type(value) is str for value in once)
