"""Date cells as seconds since 1970-01-01 UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np

from headway.runtime.feeds.cells import BadCellError, Cells, array, column, is_missing, listed
from headway.runtime.manifest import DateFeed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none", "?", "-"})
_PATTERN = re.compile(
    r"""(\d{4}) (?: \s*[-/.年]\s* (\d{1,2}) (?: \s*[-/.月]\s* (\d{1,2}) \s*日? | \s*月 )? | (\d{2})(\d{2}) )
        (?: [T\s]* (\d{1,2}) \s*[:时点]\s* (?: (\d{1,2}) (?: \s*[:分]\s* (?: (\d{1,2}) (?:[.,](\d{1,9}))? \s*秒? )?
        )? )? )? \s* (Z | UTC | [+-]\d{2}:?\d{2})?""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)


def encode(feed: DateFeed, columns: Mapping[str, Cells], *, strict: bool = True) -> dict[str, np.ndarray]:
    """Return `{feed.name: float64 [rows, columns]}`, NaN where missing.

    Read are dates and datetimes, numpy datetime64, and text or whole numbers that spell year, month, day in this
    order: ISO 8601, 2024/3/5, 2024.3.5, 20240305, 2024年3月5日, with or without a time. No time is midnight, no time
    zone is UTC. Orders that depend on the country (5/3/2024) are refused, because one row cannot tell them apart.
    """
    return {feed.name: np.stack([_seconds(column(columns, name), name, strict) for name in feed.columns], axis=1)}


def _seconds(cells: Cells, name: str, strict: bool) -> np.ndarray:
    """Return one column as float64 `[rows]`."""
    typed = array(cells)
    if typed is not None and typed.dtype.kind == "M":
        seconds = typed.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(np.isnat(typed), np.nan, seconds)
    values: list[Any] = listed(cells)
    known: dict[Any, float] = {}
    return np.array([_second(value, row, name, strict, known) for row, value in enumerate(values)], dtype=np.float64)


def _second(value: object, row: int, name: str, strict: bool, known: dict[Any, float]) -> float:
    """Return one cell in seconds; texts seen before (`known`) are not parsed again."""
    try:
        if isinstance(value, str):
            if value not in known:
                known[value] = parse(value.strip())
            return known[value]
        if is_missing(value):
            return float("nan")
        return _instant(value)
    except (ValueError, OverflowError):
        if not strict:
            return float("nan")
        expected = 'a date such as "2024-03-05", "2024-03-05 14:30" or "2024年3月5日", or an empty cell'
        raise BadCellError(row, name, expected=expected, got=value) from None


def _instant(value: object) -> float:
    """Return a date, a datetime, a datetime64 or a number like 20240305 in seconds; raises ValueError."""
    if isinstance(value, datetime):
        return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) / _SECOND
    if isinstance(value, date):
        return (value.toordinal() - _EPOCH.toordinal()) * 86400.0
    if isinstance(value, np.datetime64):
        return float(value.astype("datetime64[us]").astype(np.int64) / 1e6)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and value == int(value):
        return parse(str(int(value)))
    raise ValueError(value)


def parse(text: str) -> float:
    """Return the point in time that `text` spells in seconds since 1970 UTC, NaN for none; raises ValueError."""
    if text.lower() in _MISSING:
        return float("nan")
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, month2, day2, hour, minute, second, fraction, zone = found.groups()
    if month is None and month2 is None:
        raise ValueError(text)
    moment = datetime(int(year), int(month or month2), int(day or day2 or 1), tzinfo=_zone(zone))
    clock = timedelta(hours=_below(hour, 24), minutes=_below(minute, 60), seconds=_below(second, 61))
    return (moment - _EPOCH + clock) / _SECOND + float(f"0.{fraction or 0}")


def _below(digits: str | None, limit: int) -> int:
    """Return a part of the time of day; raises ValueError where it is `limit` or more."""
    number = int(digits or 0)
    if number >= limit:
        raise ValueError(digits)
    return number


def _zone(text: str | None) -> timezone:
    """Return the time zone that "Z", "+08:00" or nothing spells."""
    if text is None or text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
