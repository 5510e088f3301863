"""Cells that a model cannot read: how many, and the first few in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from headway.cli.messages import Language, say
from headway.runtime.feeds import BadCellError
from headway.runtime.feeds.cells import shown
from headway.runtime.feeds.dates import encode as encode_dates
from headway.runtime.feeds.numbers import encode as encode_numbers
from headway.runtime.manifest import DateFeed, Manifest, NumberFeed

_SHOWN = 3


@dataclass(frozen=True)
class Cell:
    """One cell that cannot be read; `row` counts from 1 in what was read."""

    row: int
    column: str
    value: str

    def describe(self, language: Language) -> str:
        """Return the cell in words."""
        return say("unread:cell", language).format(row=f"{self.row:,}", column=repr(self.column), value=self.value)


@dataclass(frozen=True)
class Unread:
    """How many cells could not be read, and the first few of them."""

    count: int = 0
    first: tuple[Cell, ...] = ()

    def add(self, other: Unread) -> Unread:
        """Return both together."""
        return Unread(self.count + other.count, (*self.first, *other.first)[:_SHOWN])

    def after(self, rows: int) -> Unread:
        """Return the same for rows that follow `rows` others."""
        return Unread(self.count, tuple(Cell(cell.row + rows, cell.column, cell.value) for cell in self.first))


def find_unread(rows: pl.DataFrame, manifest: Manifest, first: BadCellError, *, places: Sequence[int]) -> Unread:
    """Return all cells of numbers and dates that cannot be read; `places` are the row numbers, from 0.

    `first` is the error that was met; it counts where it is about a column of another kind.
    """
    found: list[Cell] = []
    for column in manifest.inputs:
        if column.modality not in ("number", "date"):
            continue
        cells = rows[column.name].to_list()
        bad = {value for value in set(cells) if value is not None and not _is_readable(value, column.modality)}
        found += [Cell(place + 1, column.name, shown(v)) for place, v in zip(places, cells, strict=True) if v in bad]
    if not found:
        found = [Cell(places[first.row] + 1, first.column, shown(first.got))]
    found.sort(key=lambda cell: cell.row)
    return Unread(len(found), tuple(found[:_SHOWN]))


def _is_readable(value: object, modality: str) -> bool:
    try:
        if modality == "number":
            encode_numbers(NumberFeed("cells", ("cell",)), {"cell": [value]})
        else:
            encode_dates(DateFeed("cells", ("cell",)), {"cell": [value]})
    except BadCellError:
        return False
    return True
