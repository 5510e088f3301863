"""What one file gives, before the parts are put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

# A rejected value is shown, not kept: this many characters are enough to find it.
SHOWN = 200

REJECTED = {"file": pl.String, "row": pl.UInt32, "column": pl.String, "reason": pl.String, "value": pl.String}


# The column that says why a row which was kept for its place cannot be used; null for good rows.
REASON = "__rejected__"


@dataclass(frozen=True)
class Reject:
    """One line or cell that was set aside; `row` is the 1-based record in `file`.

    `fields`: the record's cells from the left as far as they could be told apart, as many as there are columns.
    """

    file: str
    row: int
    column: str | None
    reason: str
    value: str | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """The good records of one file, and the bad ones.

    `records`: `[n]` int64, the 1-based record number of every row of `frame`; `first`: the record number of the
    first record that holds data (2 after a header); `read`: all records, the bad and the left out ones together;
    `left_out`: good records that are not in `frame` because they would not fit into memory.
    """

    file: str
    frame: pl.DataFrame
    records: np.ndarray
    rejected: tuple[Reject, ...] = ()
    read: int = 0
    first: int = 1
    left_out: int = 0


def whole_part(file: str, frame: pl.DataFrame, *, first: int = 1) -> Part:
    """Return the part of a file in which every record is good."""
    return Part(file, frame, np.arange(first, first + frame.height), read=frame.height, first=first)


def rejected_frame(rejected: Iterable[Reject]) -> pl.DataFrame:
    """Return `rejected` as the frame that `Table` promises."""
    rows = [(item.file, item.row, item.column, item.reason, item.value and item.value[:SHOWN]) for item in rejected]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")
