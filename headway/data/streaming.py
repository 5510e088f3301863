"""Files of any length in constant memory, for prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from headway.data.reading import file_kind
from headway.data.sources.columnar import scan_parquet
from headway.data.sources.delimited import scan_delimited
from headway.data.sources.json_records import read_json, scan_json_lines
from headway.data.sources.part import Part, Reject
from headway.errors import DataError
from headway.project.schema import Reading

_DEFAULT = Reading()
_ROWS = 10_000


def scan_batches(
    path: Path,
    *,
    reading: Reading = _DEFAULT,
    rows: int = _ROWS,
    on_reject: Callable[[Reject], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield a CSV, TSV, JSON Lines or Parquet file in frames of `rows` rows (the last one may be shorter).

    Text cells are exactly as in the file, but for empty ones, which are null; markers of missing values stay as they
    are. Records that cannot be read are handed to `on_reject`; without it the first one raises DataError. A JSON array
    is read whole. Raises DataError for an empty or missing file.
    """
    if not path.is_file():
        raise DataError("no such file", where=str(path))
    if path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path), got="0 bytes")
    kind = file_kind(path)
    if kind in (".parquet", ".pq"):
        yield from scan_parquet(path, rows)
    elif kind in (".jsonl", ".ndjson"):
        yield from _frames(scan_json_lines(path, reading), rows, on_reject)
    elif kind == ".json":
        yield from _frames(iter([read_json(path, reading)]), rows, on_reject)
    else:
        yield from _frames(scan_delimited(path, reading), rows, on_reject)


def _frames(parts: Iterator[Part], rows: int, on_reject: Callable[[Reject], None] | None) -> Iterator[pl.DataFrame]:
    """Cut parts of any size into frames of one size; a file without rows gives one empty frame."""
    held: pl.DataFrame | None = None
    given = 0
    for part in parts:
        for reject in part.rejected:
            _hand_on(reject, on_reject)
        if held is None or held.height == 0:
            frame = part.frame if part.frame.height or held is None else held
        else:
            frame = pl.concat([held, part.frame], how="diagonal_relaxed")
        whole = frame.height - frame.height % rows
        yield from frame.head(whole).iter_slices(rows) if whole else ()
        given += whole
        held = frame.tail(frame.height - whole)
    if held is not None and (held.height or not given):
        yield held


def _hand_on(reject: Reject, on_reject: Callable[[Reject], None] | None) -> None:
    if on_reject is not None:
        on_reject(reject)
        return
    raise DataError(
        "a record cannot be read",
        where=f"{reject.file}, row {reject.row}",
        got=f"{reject.reason}: {reject.value}",
        fix="put the record right or take it out",
    )
