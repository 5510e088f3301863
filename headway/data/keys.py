"""When two inputs count as the same: one 64-bit key per row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.casting import normalise_text
from headway.data.dataset import Column


def input_keys(rows: pl.DataFrame, inputs: Sequence[Column]) -> np.ndarray:
    """Return `[n]` uint64; rows with the same inputs have the same key.

    Texts and categories are the same after normalisation (NFKC, lower case, white space), images by their bytes,
    numbers and dates by value.
    """
    columns = [_key_column(rows[column.name], column) for column in inputs]
    return pl.DataFrame(columns).hash_rows(seed=0).to_numpy()


def empty_rows(rows: pl.DataFrame, inputs: Sequence[Column]) -> np.ndarray:
    """Return `[n]` bool: the rows in which every input is missing or blank."""
    empty = np.ones(rows.height, dtype=bool)
    for column in inputs:
        series = rows[column.name]
        missing = series.is_null()
        if series.dtype == pl.String:
            missing = missing | (series.str.strip_chars() == "").fill_null(value=False)
        empty &= missing.to_numpy()
    return empty


def _key_column(series: pl.Series, column: Column) -> pl.Series:
    if column.modality == "image":
        return pl.Series(series.name, [_digest(cell) for cell in series.to_list()], pl.Binary)
    if column.modality in ("text", "category"):
        return normalise_text(series)
    return series


def _digest(image: str | bytes | None) -> bytes | None:
    if image is None:
        return None
    content = image if isinstance(image, bytes) else Path(image).read_bytes()
    return hashlib.blake2b(content, digest_size=16).digest()
