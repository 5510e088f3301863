"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.sources.gathering import gather
from headway.data.sources.json_records import as_string
from headway.data.sources.part import Part, whole_part
from headway.errors import DataError

# Parquet is compressed: in memory a file may need so many times its size at worst.
_GROWTH = 100
_ROWS = 100_000


def read_parquet(path: Path, *, limit: int = 2**62) -> Part:
    """Read a Parquet file, beyond `limit` bytes a sample of its rows; raise DataError when it is damaged."""
    if path.stat().st_size * _GROWTH > limit:
        return gather(_parts(path), limit=limit)
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("the Parquet file is damaged", where=str(path), got=str(error).split("\n")[0]) from error
    return whole_part(str(path), plain_columns(frame))


def scan_parquet(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file in frames of `rows` rows."""
    try:
        for batch in pl.scan_parquet(path).collect_batches(chunk_size=rows, maintain_order=True):
            yield from plain_columns(batch).iter_slices(rows)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("the Parquet file is damaged", where=str(path), got=str(error).split("\n")[0]) from error


def _parts(path: Path) -> Iterator[Part]:
    record = 1
    for frame in scan_parquet(path, _ROWS):
        records = np.arange(record, record + frame.height)
        yield Part(str(path), frame, records, read=frame.height)
        record += frame.height


def plain_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame without nested, categorical and decimal types.

    A struct with the field `bytes` is an image as the Hugging Face hub stores it, and becomes Binary.
    """
    return frame.with_columns([_plain(frame[name]) for name in frame.columns])


def _plain(series: pl.Series) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, pl.Struct) and any(field.name == "bytes" for field in dtype.fields):
        return series.struct.field("bytes").alias(series.name)
    if dtype.is_nested() or dtype == pl.Object:
        return pl.Series(series.name, [as_string(value) for value in series.to_list()], pl.String)
    if dtype.is_decimal():
        return series.cast(pl.Float64)
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return series.cast(pl.String)
    return series
