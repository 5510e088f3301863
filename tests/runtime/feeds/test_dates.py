import contextlib
import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InputError
from headway.runtime.feeds import encode
from headway.runtime.manifest import DateFeed

DAY = datetime(2024, 3, 5, tzinfo=UTC).timestamp()
TIME = DAY + 14 * 3600 + 30 * 60


def dates(cells, *, strict=True):
    return encode(DateFeed("d", ("a",)), {"a": cells}, files={}, strict=strict)["d"][:, 0].tolist()


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2024-03-05", DAY),
        ("2024/3/5", DAY),
        ("2024.03.05", DAY),
        ("20240305", DAY),
        (20240305, DAY),
        (20240305.0, DAY),
        ("2024年3月5日", DAY),
        ("2024年3月", DAY - 4 * 86400),
        ("2024-03", DAY - 4 * 86400),
        (" 2024-03-05T14:30:00Z ", TIME),
        ("2024-03-05 14:30", TIME),
        ("2024/3/5 14:30:15.250", TIME + 15.25),
        ("2024年3月5日 14时30分", TIME),
        ("2024年3月5日14点", TIME - 1800),
        ("2024-03-05T22:30:00+08:00", TIME),
        ("2024-03-05T10:00-0430", TIME),
        (date(2024, 3, 5), DAY),
        (datetime(2024, 3, 5, 14, 30), TIME),  # noqa: DTZ001
        (datetime(2024, 3, 5, 22, 30, tzinfo=timezone(timedelta(hours=8))), TIME),
        (np.datetime64("2024-03-05T14:30"), TIME),
    ],
)
def test_a_date_is_read_however_it_is_written(cell, seconds):
    assert dates([cell]) == [seconds]


@pytest.mark.parametrize("cell", ["", None, "NaT", np.datetime64("NaT"), math.nan, "null"])
def test_an_empty_cell_is_nan(cell):
    assert math.isnan(dates([cell])[0])


@pytest.mark.parametrize(
    "cell", ["5/3/2024", "2024-13-01", "2024-02-30", "2024", "today", "2024-03-05 25:00", 7, True, b"x", math.inf, []]
)
def test_an_unreadable_date_names_row_column_and_what_is_expected(cell):
    with pytest.raises(InputError, match=r"row 2, column 'a'(.|\n)*2024-03-05"):
        dates(["2024-03-05", cell])
    assert math.isnan(dates([cell], strict=False)[0])


def test_arrays_and_series_give_what_lists_give():
    cells = [datetime(2024, 3, 5, 14, 30), None]  # noqa: DTZ001
    array = np.array(["2024-03-05T14:30", "NaT"], dtype="datetime64[ns]")
    for given_cells in (cells, array, pl.Series(cells), pl.Series(cells).dt.replace_time_zone("UTC"), list(array)):
        np.testing.assert_array_equal(dates(given_cells), [TIME, math.nan])
    assert dates(pl.Series([date(2024, 3, 5)])) == [DAY]


@given(st.datetimes(timezones=st.none() | st.just(UTC)))
def test_iso_text_and_datetimes_agree(moment):
    assert dates([moment.isoformat()])[0] == pytest.approx(dates([moment])[0], abs=1e-3)


@given(st.text(st.sampled_from("0123456789-/:T年月日Z+. ")) | st.text())
def test_any_text_gives_a_date_or_an_input_error(text):
    with contextlib.suppress(InputError):
        assert len(dates([text])) == 1
