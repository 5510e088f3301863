"""Cells as users hand them in: lists, numpy arrays, or a Series of some data frame library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from headway.errors import InputError
from headway.runtime.feeds.lacking import missing_column

# A list, a numpy array, or an object with `to_numpy` and `to_list`, which no common type describes.
Cells = Sequence[Any] | np.ndarray | Any

_WHOLE = re.compile(r"[+-]?\d+\.0+", re.ASCII)
_SHOWN = 60


class BadCellError(InputError):
    """One cell that does not fit; `row` counts from 0 in the rows that were handed in."""

    def __init__(self, row: int, column: str, *, expected: str, got: object) -> None:
        """Keep the parts, so that the row can be renumbered by `at`."""
        self.row, self.column, self.expected, self.got = row, column, expected, got
        super().__init__(
            f"a cell of {column!r} cannot be read",
            where=f"row {row + 1}, column {column!r}",
            expected=expected,
            got=shown(got),
        )

    def at(self, row: int) -> BadCellError:
        """Return the same error for another row number, where rows were handed on in parts."""
        return BadCellError(row, self.column, expected=self.expected, got=self.got)


def shown(value: object) -> str:
    """Return a cell as it may stand in a message: on one line, quoted, and never long; what is absent is nothing."""
    if value is None:
        return "nothing"
    try:
        text = repr(value) if isinstance(value, str | bytes | int | float) else f"{type(value).__name__} {value!r}"
    except RecursionError:
        text = f"{type(value).__name__}, nested too deeply to be shown"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def column(columns: Mapping[str, Cells], name: str) -> Cells:
    """Return the cells of column `name`; raises `InputError` with the nearest name where it is missing."""
    try:
        return columns[name]
    except KeyError:
        raise missing_column(name, columns) from None


def listed(cells: Cells) -> list[Any]:
    """Return the cells as a list of Python objects."""
    if isinstance(cells, list):
        return cells
    if isinstance(cells, np.ndarray):
        # datetime64[ns].tolist() gives integers; the elements themselves know what they are.
        return list(cells) if cells.dtype.kind in "mM" else cells.tolist()
    for method in ("to_list", "tolist"):
        if hasattr(cells, method):
            return list(getattr(cells, method)())
    return list(cells)


def array(cells: Cells) -> np.ndarray | None:
    """Return the cells as a typed one-dimensional array where that needs no look at single cells, else None."""
    if not isinstance(cells, np.ndarray):
        convert = getattr(cells, "to_numpy", None)
        if convert is None:
            return None
        cells = convert()
    return None if cells.dtype.kind in "OUS" or cells.ndim != 1 else cells


def is_missing(value: object) -> bool:
    """Tell whether a cell is empty: None, NaN, or NaT."""
    return value is None or bool(isinstance(value, float | np.generic | Decimal) and value != value)  # noqa: PLR0124


def strings(cells: Cells, name: str) -> list[str]:
    """Return text cells as strings, "" where missing; a number or date is written out."""
    values = listed(cells)
    if set(map(type, values)) <= {str}:
        return values
    return [_text(value, row, name) for row, value in enumerate(values)]


def canonical(value: object, row: int, name: str) -> str:
    """Return the one spelling of a category value.

    Surrounding blanks go; whole numbers have no decimals ("1.0", 1.0 and 1 are all "1"); truth values are "true" and
    "false" in any case; dates are ISO 8601; None and NaN are "".
    """
    text = (value if type(value) is str else _text(value, row, name)).strip()
    if _WHOLE.fullmatch(text):
        return text.partition(".")[0]
    return text.lower() if text in {"True", "False", "TRUE", "FALSE"} else text


def _text(value: object, row: int, name: str) -> str:
    """Return one cell as text."""
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return ""
    if isinstance(value, np.generic):
        value = str(value) if isinstance(value, np.datetime64 | np.floating) else value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal | str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise BadCellError(row, name, expected="text, a number, a truth value or a date", got=value)
