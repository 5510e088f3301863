# ruff: noqa: DTZ001 - cells of tables have no time zone
import math
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.casting import cast_column, cast_dates, cast_numbers, normalise_text
from headway.runtime.feeds.numbers import encode
from headway.runtime.manifest import NumberFeed


def test_numbers_in_the_spellings_the_runtime_reads():
    found = cast_numbers(pl.Series("n", [" 1.5", "1,234.5", "-3e2", "-", None, "x", "inf"]))
    assert found.series.to_list() == [1.5, 1234.5, -300.0, None, None, None, None]
    assert found.faults.tolist() == [5, 6]


@pytest.mark.parametrize(
    "text", ["¥300.12", "￥ 300", "$1,200.50", "-$1,200", "1,234", "12%", "3.5万", "5$", "$1,23", "$", "1,23", "-£.5"]
)
def test_training_reads_a_number_as_the_runtime_does(text):
    (trained,) = cast_numbers(pl.Series("n", [text])).series.to_list()
    ran = encode(NumberFeed("n", ("n",)), {"n": [text]}, strict=False)["n"][0, 0].item()
    assert (trained is None) == math.isnan(ran)
    assert trained is None or trained == pytest.approx(ran)


def test_prices_are_numbers_to_the_cent():
    found = cast_numbers(pl.Series("n", ["¥300.12", "$1,200.50", "3.5万"]))
    assert found.series.to_list() == [300.12, 1200.5, None]
    assert found.faults.tolist() == [2]


def test_typed_numbers_and_truth_values():
    assert cast_numbers(pl.Series([1, 2])).series.to_list() == [1.0, 2.0]
    assert cast_numbers(pl.Series([True, None])).series.to_list() == [1.0, None]
    found = cast_numbers(pl.Series([1.0, float("nan"), float("inf")]))
    assert (found.series.to_list(), found.faults.tolist()) == ([1.0, None, None], [2])


@pytest.mark.parametrize(
    "text", ["2024-03-05", "2024/03/05", "2024/3/5", "20240305", "2024年3月5日", "2024.3.5", "2024-03-05T00:00:00Z"]
)
def test_dates_in_many_spellings(text):
    found = cast_dates(pl.Series([text, "no date", None]))
    assert found.series.to_list() == [datetime(2024, 3, 5), None, None]
    assert found.faults.tolist() == [1]


def test_typed_dates_are_utc_without_zone():
    assert cast_dates(pl.Series([date(2024, 3, 5)])).series[0] == datetime(2024, 3, 5)
    zoned = pl.Series([datetime(2024, 3, 5, 12, tzinfo=UTC)]).dt.convert_time_zone("Asia/Shanghai")
    assert cast_dates(zoned).series[0] == datetime(2024, 3, 5, 12)


def test_categories_have_one_spelling():
    assert cast_column(pl.Series(["1.0", " 1 ", "True", "x"]), "category").series.to_list() == ["1", "1", "true", "x"]
    assert cast_column(pl.Series([1.0, 2.5]), "category").series.to_list() == ["1", "2.5"]
    assert cast_column(pl.Series([True, None]), "category").series.to_list() == ["true", None]


def test_normalised_texts():
    assert normalise_text(pl.Series(["Ａ  b\n C", None])).to_list() == ["a b c", None]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(), st.floats().map(str)), max_size=20))
def test_no_cell_makes_a_cast_fail(cells):
    series = pl.Series("c", cells, dtype=pl.String)
    for modality in ("number", "date", "category", "text"):
        assert len(cast_column(series, modality).series) == len(cells)
