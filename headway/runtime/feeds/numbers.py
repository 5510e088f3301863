"""Number cells as float32."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from headway.runtime.feeds.cells import BadCellError, Cells, array, column, is_missing, listed
from headway.runtime.manifest import NumberFeed

# How people write "no value" in a number column, compared in lower case.
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
# A sign of a currency before the number, with or without a blank: $, pound, euro, yen and yuan, rupee, won.
_CURRENCY = re.compile(r"([+-]?)[$\u00a3\u20ac\u00a5\uffe5\u20b9\u20a9]\s?(?=[\d.])")
_LARGEST = float(np.finfo(np.float32).max)


def encode(feed: NumberFeed, columns: Mapping[str, Cells], *, strict: bool = True) -> dict[str, np.ndarray]:
    """Return `{feed.name: float32 [rows, columns]}`, NaN where missing.

    Text is read as Python's `float` does, blanks around it aside; commas are taken for thousands separators where
    they stand in groups of three ("1,234.5"), and a sign of a currency may stand before the digits ("$1,200.50",
    "-¥300"). Percentages and units ("12%", "3.5万") are not read. "", "NA", "N/A", "NaN", "null", "None", "?" and "-"
    are missing. Truth values are 0 and 1. Infinite and very large numbers become the largest float32 of their sign.
    """
    values = [_floats(column(columns, name), name, strict=strict) for name in feed.columns]
    table = np.stack(values, axis=1) if len(values) != 1 else values[0][:, None]
    return {feed.name: np.clip(table, -_LARGEST, _LARGEST).astype(np.float32)}


def _floats(cells: Cells, name: str, *, strict: bool) -> np.ndarray:
    """Return one column as float64 `[rows]`; typed arrays need no look at single cells."""
    typed = array(cells)
    if typed is not None and typed.dtype.kind in "fiub":
        return typed.astype(np.float64)
    values = listed(cells)
    try:
        if set(map(type, values)) <= {float, int, str, bool, type(None)}:
            return np.array(values, dtype=np.float64).reshape(len(values))
    except (ValueError, OverflowError):
        pass  # some cell needs a closer look
    return np.array([_float(value, row, name, strict=strict) for row, value in enumerate(values)], dtype=np.float64)


def _float(value: object, row: int, name: str, *, strict: bool) -> float:
    """Return one cell as a float, NaN where missing."""
    try:
        if isinstance(value, str):
            return _parse(value.strip())
        if is_missing(value):
            return float("nan")
        if isinstance(value, float | int | Decimal | np.integer | np.floating | np.bool_):
            return _float_of(value)
    except ValueError:
        pass
    if not strict:
        return float("nan")
    raise BadCellError(row, name, expected='a number such as 12.5 or "1,250", or an empty cell', got=value)


def _parse(text: str) -> float:
    """Return the number that `text` (no blanks around it) spells; raises ValueError."""
    if text.lower() in _MISSING:
        return float("nan")
    return float(plain_number(text))


def plain_number(text: str) -> str:
    """Return `text` (no blanks around it) without the sign of a currency and without commas between thousands."""
    bare = _CURRENCY.sub(r"\1", text, count=1) if _CURRENCY.match(text) else text
    return bare.replace(",", "") if _THOUSANDS.fullmatch(bare) else bare


def _float_of(value: float | Decimal | np.integer | np.floating | np.bool_) -> float:
    """Return any real number as a float; integers too large for one become infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
