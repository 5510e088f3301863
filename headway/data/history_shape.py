"""Whether the rows of a table happen in time, about things that come again."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from headway.data.casting import cast_dates, cast_numbers
from headway.data.inference import Inference, is_named_identifier

# A key comes again so often on average, and has so many values; what has fewer is a kind, not somebody.
_AGAIN, _FEWEST = 3.0, 20
_MOST_VALUES = 3
_SAMPLE = 50_000


@dataclass(frozen=True)
class Shape:
    """The column of the time, those of the keys, and numbers worth a mean."""

    time: str
    keys: tuple[str, ...]
    values: tuple[str, ...]


def find_shape(rows: pl.DataFrame, found: Inference, target: str) -> Shape | None:
    """Return the columns for a history, None where there is no column of times or no key that comes again."""
    if found.task == "classify" and rows[target].drop_nulls().n_unique() != 2:
        return None
    times = [column.name for column in found.inputs if column.modality == "date"]
    time = next((name for name in times if _has_hours(rows[name])), None)
    keys = tuple(column.name for column in found.inputs if column.modality == "category" and _is_key(rows[column.name]))
    if time is None or not keys:
        return None
    numbers = [column.name for column in found.inputs if column.modality == "number"]
    return Shape(time, keys, tuple(name for name in numbers if _is_decimal(rows[name]))[:_MOST_VALUES])


def _has_hours(column: pl.Series) -> bool:
    """Tell whether a column of dates tells the time of day."""
    dates = cast_dates(column.drop_nulls().head(1000)).series.drop_nulls()
    return len(dates) > 0 and bool((dates.dt.truncate("1d") != dates).mean() > 0.5)  # type: ignore[operator]


def _is_key(column: pl.Series) -> bool:
    filled = column.drop_nulls()
    distinct = filled.n_unique()
    return is_named_identifier(column.name) and distinct >= _FEWEST and len(filled) >= _AGAIN * distinct


def _is_decimal(column: pl.Series) -> bool:
    numbers = cast_numbers(column.head(_SAMPLE)).series.drop_nulls()
    return len(numbers) > 0 and not bool((numbers == numbers.round()).all())
