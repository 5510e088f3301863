"""Durations, sizes and shares as people write them: `1h30m`, `4GB`, `20ms`, `20%`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECONDS: Mapping[str, float] = {
    "ms": 0.001, "毫秒": 0.001,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "秒": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "分": 60, "分钟": 60,
    "h": 3600, "hour": 3600, "hours": 3600, "小时": 3600,
    "d": 86400, "day": 86400, "days": 86400, "天": 86400,
}  # fmt: skip
# One GB is 1,024 MB, as memory is counted everywhere; `KiB` and `KB` mean the same here.
_MEGABYTES: Mapping[str, float] = {
    "b": 1 / 1024**2,
    "k": 1 / 1024, "kb": 1 / 1024, "kib": 1 / 1024,
    "m": 1, "mb": 1, "mib": 1,
    "g": 1024, "gb": 1024, "gib": 1024,
    "t": 1024**2, "tb": 1024**2, "tib": 1024**2,
}  # fmt: skip

_LEAST_MEMORY = 64

_PART = r"\d+(?:\.\d+)?\s*[A-Za-z一-鿿]+"
DURATION_PATTERN = rf"^\s*(?:{_PART}\s*)+$"
SIZE_PATTERN = r"^\s*\d+(?:\.\d+)?\s*[A-Za-z]+\s*$"
SHARE_PATTERN = r"^\s*\d+(?:\.\d+)?\s*[%％]\s*$"


def read_seconds(value: object) -> object:
    """Return a duration such as `90`, `"30s"` or `"1h30m"` in seconds; anything but text is handed on as it is."""
    if not isinstance(value, str):
        return value
    return _total(value, _SECONDS, expected="a duration such as 30s, 5m or 1h30m")


def read_milliseconds(value: object) -> object:
    """Return a latency such as `20`, `"20ms"` or `"0.5s"` in milliseconds; anything but text is handed on."""
    if not isinstance(value, str):
        return value
    return 1000 * _total(value, _SECONDS, expected="a latency such as 20ms or 0.5s")


def read_megabytes(value: object) -> object:
    """Return a size such as `512`, `"50MB"` or `"4GB"` in megabytes; anything but text is handed on."""
    if not isinstance(value, str):
        return value
    if re.match(SIZE_PATTERN, value) is None:
        raise ValueError("a size such as 50MB or 4GB")
    return _total(value, _MEGABYTES, expected="a size such as 50MB or 4GB")


def read_memory(value: object) -> object:
    """Return the memory of a run in megabytes, as `read_megabytes` does; raises ValueError below what Python needs."""
    size = read_megabytes(value)
    if isinstance(size, int | float) and not isinstance(size, bool) and size < _LEAST_MEMORY:
        raise ValueError(f"{_LEAST_MEMORY}MB or more, such as 4GB; a number alone counts megabytes")
    return size


def read_share(value: object) -> object:
    """Return a share such as `0.2` or `"20%"` between 0 and 1; anything but text is handed on."""
    if not isinstance(value, str):
        return value
    if re.match(SHARE_PATTERN, value) is None:
        raise ValueError("a share such as 20% or 0.2")
    return float(value.strip().rstrip("%％")) / 100


def read_moment(value: object) -> object:
    """Return a date such as `2018-07-25` or `"2018-07-25 14:30"` in seconds since 1970 (UTC); others are handed on."""
    if isinstance(value, float):
        return value
    from headway.runtime.feeds.dates import parse

    try:
        seconds = parse(str(value).strip())
    except (ValueError, OverflowError):
        seconds = float("nan")
    if isinstance(value, bool) or seconds != seconds:  # noqa: PLR0124 - NaN is not itself
        raise ValueError("a date such as 2018-07-25 or 2018-07-25 14:30")
    return seconds


def write_seconds(seconds: float) -> str:
    """Return seconds as a person would write them: `45s`, `5m`, `1h 30m`."""
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 10 and seconds != int(seconds) else f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if minutes else f"{hours}h"


def write_count(count: int, noun: str) -> str:
    """Return how many there are of what an English noun names: `1 row`, `1,200 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _total(text: str, units: Mapping[str, float], *, expected: str) -> float:
    """Add up `text`'s parts in the given units; raises ValueError with the words of `expected`."""
    if re.match(DURATION_PATTERN, text) is None:
        raise ValueError(expected)
    total = 0.0
    for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z一-鿿]+)", text):
        if unit.lower() not in units:
            raise ValueError(expected)
        total += float(number) * units[unit.lower()]
    return total
