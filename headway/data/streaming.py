"""Files of any length in constant memory, for prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from headway.data.dataset import ROW, Table
from headway.data.reading import file_kind
from headway.data.sources.columnar import scan_parquet
from headway.data.sources.delimited import scan_delimited
from headway.data.sources.disguised import refuse_disguised
from headway.data.sources.json_records import read_json, scan_json_lines
from headway.data.sources.part import REASON, Part, Reject
from headway.data.sources.streams import COMPRESSED
from headway.errors import DataError
from headway.project.schema import Reading

_DEFAULT = Reading()
_ROWS = 10_000
_PLACE = "__place__"


def scan_batches(
    path: Path,
    *,
    reading: Reading = _DEFAULT,
    rows: int = _ROWS,
    on_reject: Callable[[Reject], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield a CSV, TSV, JSON Lines or Parquet file in frames of `rows` rows (the last one may be shorter).

    Text cells are exactly as in the file, but for empty ones, which are null; markers of missing values stay as they
    are. Records that cannot be read are handed to `on_reject` and keep their place: a row of the cells that could be
    told apart, with the reason in the column `REASON`, which is null or missing for good rows. Without `on_reject` the
    first such record raises DataError. A JSON array is read whole. Raises DataError for an empty or missing file.
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
        if path.suffix.lower() not in COMPRESSED:
            refuse_disguised(path)
        yield from _frames(scan_delimited(path, reading), rows, on_reject)


def with_rejected(part: Part) -> pl.DataFrame:
    """Return the rows of a part with the rejected ones in their places; see `scan_batches`."""
    rows = [
        {_PLACE: reject.row, REASON: reject.reason} | _cells(reject, part.frame.columns) for reject in part.rejected
    ]
    return _merge(part.frame.with_columns(pl.Series(_PLACE, part.records, pl.Int64)), rows)


def rows_in_place(table: Table) -> pl.DataFrame:
    """Return the rows of a table without their numbers and with the rejected ones in their places."""
    origins = {origin.file: origin for origin in table.origins}
    rows, columns = [], table.rows.columns
    for file, row, column, reason, value in table.rejected.unique(("file", "row"), maintain_order=True).iter_rows():
        # The images of a folder are named, not the folder; then there is only one source.
        origin = origins.get(file, table.origins[0])
        rows.append({_PLACE: row - origin.record + origin.first, REASON: reason})
        if column in columns:
            rows[-1][column] = value
    return _merge(table.rows.rename({ROW: _PLACE}), rows)


def _cells(reject: Reject, columns: Sequence[str]) -> dict[str, object]:
    """Return the cells of a rejected record that are known, by column."""
    if reject.column in columns:
        return {str(reject.column): reject.value}
    return {name: cell or None for name, cell in zip(columns, reject.fields, strict=False)}


def _merge(good: pl.DataFrame, rejected: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    if not rejected:
        return good.drop(_PLACE)
    names = dict.fromkeys(name for row in rejected for name in row)
    bad = pl.DataFrame(rejected, schema=dict.fromkeys(names, pl.String) | {_PLACE: pl.Int64})
    # A column of numbers cannot hold the text of a damaged cell.
    fitting = [name for name in bad.columns if good.schema.get(name, pl.String) == pl.String or name == _PLACE]
    both = pl.concat([good.cast({_PLACE: pl.Int64}), bad.select(fitting)], how="diagonal")
    return both.sort(_PLACE, maintain_order=True).drop(_PLACE)


def _frames(parts: Iterator[Part], rows: int, on_reject: Callable[[Reject], None] | None) -> Iterator[pl.DataFrame]:
    """Cut parts of any size into frames of one size; a file without rows gives one empty frame."""
    held: pl.DataFrame | None = None
    given = 0
    for part in parts:
        for reject in part.rejected:
            _hand_on(reject, on_reject)
        came = with_rejected(part)
        if held is None or held.height == 0:
            frame = came if came.height or held is None else held
        else:
            frame = pl.concat([held, came], how="diagonal_relaxed")
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
