"""JSON and JSON Lines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.sources.gathering import gather
from headway.data.sources.part import Part, Reject
from headway.data.sources.streams import read_chunks, read_utf8
from headway.errors import DataError
from headway.project.schema import Reading

BLOCK = 16 * 2**20
_NESTED = (pl.List, pl.Struct, pl.Array, pl.Object)
_LONGEST_LINE = 64 * 2**20
# Escapes in JSON text; the group is half of a character (a lone surrogate), as programs write that cut texts in UTF-16.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)", re.DOTALL
)
_HALF = re.compile(rb"\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F]")


def read_json(path: Path, reading: Reading, *, limit: int = 2**62) -> Part:
    """Read a JSON file: an array of objects, one object of equally long arrays, or one object a line.

    Raises DataError for an empty file and for JSON of another form.
    """
    head = b""
    for chunk in read_chunks(path):
        head = (head + chunk).lstrip(b"\xef\xbb\xbf \t\r\n")
        if len(head) > 1:
            break
    if not head:
        raise DataError("the file is empty", where=str(path), expected="a JSON array, object, or one object a line")
    if head[:1] == b"{" and _is_lines(path, reading):
        return read_json_lines(path, reading, limit=limit)
    text = whole_characters(b"".join(read_utf8(path, reading.encoding))).decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f"{path}:{error.lineno}" if isinstance(error, json.JSONDecodeError) else str(path)
        raise DataError(
            "the file is not valid JSON", where=place, got=str(error), fix="check the file with a JSON validator"
        ) from error
    return _part(str(path), _as_records(value, str(path)), first=1)


def read_json_lines(path: Path, reading: Reading, *, limit: int = 2**62) -> Part:
    """Read a JSON Lines file, beyond `limit` bytes a sample of its rows; a line that is no object is rejected."""
    part = gather(scan_json_lines(path, reading), limit=limit)
    if not part.read:
        raise DataError("the file is empty", where=str(path), expected="one JSON object a line")
    return part


def scan_json_lines(path: Path, reading: Reading, *, block: int = BLOCK) -> Iterator[Part]:
    """Yield a JSON Lines file in parts of about `block` bytes, in constant memory."""
    record, held = 1, b""
    for chunk in read_utf8(path, reading.encoding):
        held += chunk
        if len(held) < block:
            continue
        cut = held.rfind(b"\n") + 1
        if cut == 0 and len(held) > _LONGEST_LINE:
            raise DataError("a line is too long", where=str(path), expected=f"at most {_LONGEST_LINE:,} bytes a line")
        if cut:
            part = _parse_lines(str(path), held[:cut], record)
            record, held = record + part.read, held[cut:]
            yield part
    yield _parse_lines(str(path), held, record)


def whole_characters(data: bytes) -> bytes:
    """Return JSON text in which U+FFFD stands for halves of characters, which no text holds (Polars reads NULs)."""
    if not _HALF.search(data):
        return data
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], data)


def columns_of(records: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return a frame with the union of all keys in order of appearance; mixed and nested cells become strings."""
    names = dict.fromkeys(key for record in records for key in record)
    return pl.DataFrame([as_series(str(name), [record.get(name) for record in records]) for name in names])


def as_series(name: str, values: list[object]) -> pl.Series:
    """Return a column of one type: Boolean, Int64, Float64, dates as they are, and String for everything else."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        values = [None if value is None else float(str(value)) for value in values]
    elif len(kinds) > 1 or kinds & {dict, list, tuple}:
        return pl.Series(name, [as_string(value) for value in values], pl.String)
    try:
        series = pl.Series(name, values, strict=True)
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [as_string(value) for value in values], pl.String)
    if series.dtype == pl.Null or series.dtype in _NESTED:
        return pl.Series(name, [as_string(value) for value in values], pl.String)
    return series.cast(pl.Float64) if series.dtype.is_decimal() else series


def as_string(value: object) -> str | None:
    """Return a cell as text: nested ones as JSON, booleans as true and false."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _is_lines(path: Path, reading: Reading) -> bool:
    """Tell whether the first line is a complete object and another one follows, or the name says so."""
    first = b""
    for chunk in read_utf8(path, reading.encoding):
        first += chunk
        if b"\n" in first.strip() or len(first) > _LONGEST_LINE:
            break
    head, _, rest = first.strip().partition(b"\n")
    try:
        json.loads(head)
    except ValueError:
        # A damaged first line: lines if the next one is complete.
        return _is_object(rest.strip().partition(b"\n")[0])
    return bool(rest.strip())


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _as_records(value: object, where: str) -> list[object]:
    if isinstance(value, dict):
        lists = {key: cells for key, cells in value.items() if isinstance(cells, list)}
        if len(lists) == 1 and all(isinstance(item, dict) for item in next(iter(lists.values()))):
            return list(next(iter(lists.values())))
        if len(lists) == len(value) and len({len(cells) for cells in lists.values()}) == 1:
            return [dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)]
        if not lists:
            return [value]
        raise DataError(
            "the JSON object is not a table",
            where=where,
            expected="arrays of equal length, one per column",
            got=", ".join(f"{key}: {len(cells)}" for key, cells in list(lists.items())[:8]),
        )
    if isinstance(value, list):
        return value
    raise DataError(
        "the JSON file is not a table", where=where, expected="an array of objects", got=f"a {type(value).__name__}"
    )


def _part(file: str, items: list[object], *, first: int) -> Part:
    good: list[dict[str, object]] = []
    records: list[int] = []
    rejected: list[Reject] = []
    for number, item in enumerate(items, first):
        if isinstance(item, dict):
            good.append(item)
            records.append(number)
        else:
            rejected.append(Reject(file, number, None, "not a JSON object", as_string(item)))
    return Part(file, columns_of(good), np.array(records, np.int64), tuple(rejected), len(items), first)


def _parse_lines(file: str, data: bytes, first: int) -> Part:
    data = whole_characters(data)
    frame = _parse_fast(data)
    if frame is not None:
        return Part(file, frame, np.arange(first, first + frame.height), read=frame.height)
    good: list[dict[str, object]] = []
    records: list[int] = []
    rejected: list[Reject] = []
    lines = [line for line in data.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, first):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            shown = line[:800].decode("utf-8", "replace")
            rejected.append(Reject(file, number, None, f"not valid JSON: {error}"[:200], shown))
            continue
        if isinstance(item, dict):
            good.append(item)
            records.append(number)
        else:
            rejected.append(Reject(file, number, None, "not a JSON object", as_string(item)))
    return Part(file, columns_of(good), np.array(records, np.int64), tuple(rejected), len(lines))


def _parse_fast(data: bytes) -> pl.DataFrame | None:
    """Return the rows as Polars reads them, or None where lines are damaged or nested."""
    if not data.strip() or b"\n\n" in data:
        return None
    try:
        frame = pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return None
    plain = all(dtype not in _NESTED and dtype != pl.Null for dtype in frame.dtypes)
    return frame if plain and frame.height == data.strip().count(b"\n") + 1 else None
