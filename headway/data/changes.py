"""What cleaning did to which row, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.dataset import ROW, Dataset

CHANGES = {ROW: pl.UInt32, "step": pl.String, "reason": pl.String, "partner": pl.UInt32}


def no_changes() -> pl.DataFrame:
    """Return an empty list of changes."""
    return pl.DataFrame(schema=CHANGES)


def list_changes(
    rows: np.ndarray, step: str, reason: str | list[str], partners: np.ndarray | None = None
) -> pl.DataFrame:
    """Return one line per row number in `rows`; `partners` are the row numbers each was compared with."""
    reasons = [reason] * len(rows) if isinstance(reason, str) else reason
    partner = pl.Series([None] * len(rows) if partners is None else partners, dtype=pl.UInt32)
    return pl.DataFrame(
        {ROW: pl.Series(rows, dtype=pl.UInt32), "step": [step] * len(rows), "reason": reasons, "partner": partner},
        schema=CHANGES,
    )


def take(dataset: Dataset, keep: np.ndarray, changes: pl.DataFrame | None = None) -> Dataset:
    """Return the rows at the positions `keep` (`[k]` int64), with `changes` added to the list."""
    weight = None if dataset.weight is None else dataset.weight[keep]
    listed = dataset.changes if changes is None else pl.concat([dataset.changes, changes])
    return replace(
        dataset,
        rows=dataset.rows[keep],
        y=dataset.y[keep],
        groups=dataset.groups[keep],
        weight=weight,
        changes=listed,
    )


def take_changes(dataset: Dataset, changes: pl.DataFrame) -> Dataset:
    """Return the data set with `changes` added to the list."""
    return replace(dataset, changes=pl.concat([dataset.changes, changes]))
