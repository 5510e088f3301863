"""What cleaning did to which row, and why."""

from __future__ import annotations

import numpy as np
import polars as pl

from headway.data.dataset import ROW

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
