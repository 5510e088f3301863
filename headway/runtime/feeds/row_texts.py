"""A row of a table as a text, for what reads texts alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from headway.runtime.feeds import categories, dates, numbers
from headway.runtime.feeds.cells import Cells, column, strings
from headway.runtime.manifest import CategoryFeed, DateFeed, NumberFeed, RowFeed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Years that a date can be written in.
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0
# Larger numbers are written with a power of ten.
_LARGEST = 1e15


def write_rows(feed: RowFeed, columns: Mapping[str, Cells], *, strict: bool = True) -> list[str]:
    """Return the text of each row: `age: 34; city: Oslo; when: 2024-03-05 14:30`; missing cells are left out.

    Raises `InputError` for a missing column, and where `strict` for a number or date that cannot be read.
    """
    pairs = zip(feed.columns, feed.kinds, strict=True)
    written = [_column(feed, columns, name, kind, strict=strict) for name, kind in pairs]
    return [feed.comma.join(filter(None, cells)) for cells in zip(*written, strict=True)]


def _column(feed: RowFeed, columns: Mapping[str, Cells], name: str, kind: str, *, strict: bool) -> list[str]:
    """Return what is written of one column, "" where it is missing."""
    head = name + feed.colon
    cells = _cells(columns, name, kind, strict=strict)
    known: dict[Any, str] = {}
    for cell in set(cells):
        value = _written(cell, kind, feed.digits)
        known[cell] = head + value if value else ""
    return [known[cell] for cell in cells]


def _cells(columns: Mapping[str, Cells], name: str, kind: str, *, strict: bool) -> list[Any]:
    if kind == "number":
        table = numbers.encode(NumberFeed("n", (name,)), columns, strict=strict)["n"][:, 0]
        return [None if number != number else number for number in table.tolist()]  # noqa: PLR0124 - NaN is not itself
    if kind == "date":
        table = dates.encode(DateFeed("d", (name,)), columns, strict=strict)["d"][:, 0]
        return [None if second != second else second for second in table.tolist()]  # noqa: PLR0124
    if kind == "category":
        return list(categories.encode(CategoryFeed("c", (name,)), columns)["c"][:, 0])
    return [text.strip() for text in strings(column(columns, name), name)]


def _written(cell: Any, kind: str, digits: int) -> str:
    """Return a cell as text."""
    if cell is None:
        return ""
    if kind == "number":
        return write_number(cell, digits)
    if kind == "date":
        moment = _EPOCH + timedelta(seconds=min(max(cell, _FIRST), _LAST))
        return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
    return str(cell)


def write_number(number: float, digits: int) -> str:
    """Return a number rounded to so many digits that count: 1234.5 is `1230` with three of them."""
    if not np.isfinite(number) or abs(number) >= _LARGEST:
        return f"{number:.{digits}g}"
    return np.format_float_positional(float(f"{number:.{digits}g}"), trim="-")
