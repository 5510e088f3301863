from datetime import datetime

import pytest

from headway.errors import InputError
from headway.runtime.feeds.row_texts import write_number, write_rows
from headway.runtime.manifest import RowFeed

KINDS = ("number", "category", "date", "text")
FEED = RowFeed("row:1", ("price", "city", "when", "note"), KINDS)


def columns(**changes):
    return {
        "price": ["1,234.5", None, 0.00012345],
        "city": ["Oslo", " 1.0 ", ""],
        "when": ["2024-03-05 14:30", None, datetime(2024, 3, 5)],  # noqa: DTZ001
        "note": ["so far\n", "", "很好"],
    } | changes


def test_a_row_is_written_with_the_names_of_its_columns():
    assert write_rows(FEED, columns()) == [
        "price: 1230; city: Oslo; when: 2024-03-05 14:30; note: so far",
        "city: 1",
        "price: 0.000123; when: 2024-03-05 00:00; note: 很好",
    ]


def test_chinese_marks():
    feed = RowFeed("row:2", ("价格", "城市"), ("number", "category"), colon="：", comma="，")
    assert write_rows(feed, {"价格": [12], "城市": ["北京"]}) == ["价格：12，城市：北京"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (-5.678, "-5.68"), (99999, "100000"), (1e20, "1e+20"), (0.5, "0.5"), (123456789, "123000000")],
)
def test_numbers_keep_three_digits_that_count(number, text):
    assert write_number(float(number), 3) == text


def test_cells_that_cannot_be_read():
    with pytest.raises(InputError, match="'price'"):
        write_rows(FEED, columns(price=["cheap", 1, 2]))
    assert write_rows(FEED, columns(price=["cheap", 1, 2]), strict=False)[0].startswith("city")
    with pytest.raises(InputError, match="'city' is missing"):
        write_rows(FEED, {name: cells for name, cells in columns().items() if name != "city"})


def test_the_years_of_the_calendar_are_kept():
    assert write_rows(RowFeed("r", ("when",), ("date",)), {"when": ["0001-01-01", "9999-12-31"]}) == [
        "when: 0001-01-01 00:00",
        "when: 9999-12-31 00:00",
    ]
