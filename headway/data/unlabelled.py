"""Rows without a target, made like the labelled ones and cleaned of all that repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import polars as pl

from headway.data.casting import cast_column
from headway.data.dataset import Column, Table
from headway.data.keys import empty_rows, input_keys
from headway.errors import DataError


@dataclass(frozen=True)
class Unlabelled:
    """`rows`: the input columns, typed as those of the labelled rows; `left_out`: rows that were empty or repeated."""

    rows: pl.DataFrame
    left_out: int


def clean_unlabelled(
    table: Table, inputs: Sequence[Column], labelled: Sequence[pl.DataFrame], *, where: str
) -> Unlabelled:
    """Return the rows of `table` that say something new: not empty, not repeated, equal to no row of `labelled`.

    What equals a labelled row is left out, so that nothing can be learnt from a test row. Other columns are ignored.
    Raises DataError where an input column is missing.
    """
    _check_inputs(table, inputs, where)
    rows = pl.DataFrame([cast_column(table.rows[column.name], column.modality).series for column in inputs])
    keys = input_keys(rows, inputs)
    known = np.concatenate([input_keys(part, inputs) for part in labelled]) if labelled else np.empty(0, np.uint64)
    first = np.zeros(rows.height, dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    new = first & ~np.isin(keys, known) & ~empty_rows(rows, inputs)
    return Unlabelled(rows.filter(pl.Series(new)), rows.height - int(new.sum()))


def _check_inputs(table: Table, inputs: Sequence[Column], where: str) -> None:
    """Raise where an input column is missing, with the nearest name there is."""
    columns = table.rows.columns[1:]
    missing = [column.name for column in inputs if column.name not in columns]
    if not missing:
        return
    near = get_close_matches(missing[0], columns, n=1)
    fix = f'rename "{near[0]}" to "{missing[0]}"' if near else "name the columns as in the labelled rows"
    raise DataError(
        "the unlabelled rows have other columns",
        where=where,
        expected=f"the inputs {', '.join(column.name for column in inputs)}",
        got=f"no {', '.join(missing)} among {', '.join(columns[:12])}",
        fix=fix,
    )
