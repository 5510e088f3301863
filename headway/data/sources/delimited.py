"""CSV and TSV: whole blocks by Polars, record by record where a block has something wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.sources.dialect import Dialect, find_dialect
from headway.data.sources.gathering import gather
from headway.data.sources.part import Part, Reject
from headway.data.sources.records import LONGEST_FIELD, Record, Shape, parse_records
from headway.data.sources.streams import read_utf8
from headway.errors import DataError
from headway.project.schema import Reading

BLOCK = 16 * 2**20
_SAMPLE = 2**18
_LONGEST_SHOWN = 2**16  # the cells of a longer bad record are not kept


@dataclass(frozen=True)
class Block:
    """Some whole records in UTF-8; `last` when nothing follows. `oversize` bytes were skipped before it."""

    data: bytes
    last: bool
    oversize: int = 0


def read_delimited(path: Path, reading: Reading, *, limit: int = 2**62) -> Part:
    """Read a CSV or TSV file; every column is String, an empty cell null; beyond `limit` bytes a sample of the rows.

    Raises DataError for an empty file, doubled column names, and an unknown encoding.
    """
    return gather(scan_delimited(path, reading), limit=limit)


def scan_delimited(path: Path, reading: Reading, *, block: int = BLOCK) -> Iterator[Part]:
    """Yield the file in parts of about `block` bytes, in constant memory."""
    chunks = read_utf8(path, reading.encoding)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _SAMPLE:
            break
    if not head.strip():
        raise DataError(
            "the file is empty", where=str(path), expected="at least one record", got=f"{len(head)} bytes of blanks"
        )
    dialect = find_dialect(_sample_text(head, complete=len(head) < _SAMPLE), reading, where=str(path))
    yield from _parse_blocks(path, dialect, _blocks(_chain(head, chunks), dialect.shape.quote, block))


def _sample_text(head: bytes, *, complete: bool) -> str:
    """Return the whole lines at the start of the file."""
    sample = head[:_SAMPLE]
    if not complete and b"\n" in sample:
        sample = sample[: sample.rfind(b"\n") + 1]
    return sample.decode("utf-8", "replace")


def _chain(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _blocks(chunks: Iterator[bytes], quote: str | None, size: int) -> Iterator[Block]:
    """Cut the stream after whole records: at newlines with an even number of quotes before them."""
    parts: list[bytes] = []
    held, oversize, skipping = 0, 0, False
    for chunk in chunks:
        data = chunk
        if skipping:
            end = data.find(b"\n")
            oversize += len(data) if end < 0 else end + 1
            if end < 0:
                continue
            data, skipping = data[end + 1 :], False
        parts.append(data)
        held += len(data)
        if held < size:
            continue
        whole = b"".join(parts)
        cut = _last_cut(whole, quote)
        if cut == 0 and held > LONGEST_FIELD * 2:
            # One record that outgrows every limit: drop it up to the next newline.
            end = whole.find(b"\n", LONGEST_FIELD)
            skipping, oversize = end < 0, oversize + (held if end < 0 else end + 1)
            parts, held = ([], 0) if end < 0 else ([whole[end + 1 :]], held - end - 1)
        elif cut:
            yield Block(whole[:cut], last=False, oversize=oversize)
            parts, held, oversize = [whole[cut:]], held - cut, 0
        else:
            parts = [whole]
    yield Block(b"".join(parts), last=True, oversize=oversize)


def _last_cut(data: bytes, quote: str | None) -> int:
    """Return the position after the last newline outside quotes, or 0."""
    end = data.rfind(b"\n")
    if quote is None or end < 0:
        return end + 1
    mark = quote.encode()
    inside = data.count(mark, 0, end) % 2 == 1
    while inside and end > 0:
        before = data.rfind(b"\n", 0, end)
        inside ^= data.count(mark, max(before, 0), end) % 2 == 1
        end = before
    return 0 if inside or end < 0 else end + 1


def _parse_blocks(path: Path, dialect: Dialect, blocks: Iterator[Block]) -> Iterator[Part]:
    first = 2 if dialect.header else 1
    record, rest, header = first, b"", dialect.header
    for block in blocks:
        rejected = []
        if block.oversize:
            reason = f"a record longer than {LONGEST_FIELD:,} bytes"
            rejected.append(Reject(str(path), record, None, reason, f"{block.oversize:,} bytes"))
        data = rest + block.data
        if header and data:
            data, header = _without_header(data, dialect), False
        part, rest = _parse_block(str(path), dialect, data, record + len(rejected), whole=block.last)
        read = part.read + len(rejected)
        yield Part(part.file, part.frame, part.records, (*rejected, *part.rejected), read, first)
        record += read


def _without_header(data: bytes, dialect: Dialect) -> bytes:
    text = data[:_SAMPLE].decode("utf-8", "surrogateescape")
    header = next(parse_records(text, dialect.shape), Record([], ""))
    start = text.find(header.text)
    return data[len(text[: start + len(header.text)].encode("utf-8", "surrogateescape")) :].lstrip(b"\r\n")


def _parse_block(file: str, dialect: Dialect, data: bytes, record: int, *, whole: bool) -> tuple[Part, bytes]:
    """Return the rows of a block, and the bytes of an unfinished record at its end."""
    frame = _parse_fast(data, dialect)
    if frame is not None:
        return Part(file, frame, np.arange(record, record + frame.height), read=frame.height), b""
    rows: list[list[str]] = []
    records: list[int] = []
    rejected: list[Reject] = []
    width = len(dialect.columns)
    for item in parse_records(data.decode("utf-8", "surrogateescape"), dialect.shape, whole=whole):
        if item.reason == "open":
            return _slow_part(file, dialect, rows, records, rejected), item.text.encode("utf-8", "surrogateescape")
        reason = item.reason or _find_fault(item, width)
        number = record + len(rows) + len(rejected)
        if reason is None:
            rows.append(item.fields)
            records.append(number)
        else:
            shown = item.text[:200].encode("utf-8", "replace").decode("utf-8")
            rejected.append(Reject(file, number, None, reason, shown, _readable(item, width)))
    return _slow_part(file, dialect, rows, records, rejected), b""


def _parse_fast(data: bytes, dialect: Dialect) -> pl.DataFrame | None:
    """Return the rows as Polars reads them, or None where a closer look is needed."""
    shape, width = dialect.shape, len(dialect.columns)
    schema = dict.fromkeys(dialect.columns, pl.String)
    if not data.strip():
        return pl.DataFrame(schema=schema)
    quoted = shape.quote is not None and shape.quote.encode() in data
    separator = shape.separator.encode()
    blank = data.startswith((b"\n", b"\r\n")) or b"\n\n" in data or b"\n\r\n" in data
    if width < 2 or blank or (quoted and (shape.skip_space or _has_stray_quote(data, shape))):
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if not quoted and data.count(separator) != lines * (width - 1):
        return None
    try:
        frame = pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            schema=schema,
            separator=shape.separator,
            quote_char=shape.quote,
            extra_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    # A short line shows as null in the last column; only the closer look can tell it from an empty cell.
    short = quoted and frame[dialect.columns[-1]].null_count() > 0
    if short or (frame.height != lines and (not quoted or shape.separator == "\t")):
        return None
    if shape.skip_space:
        frame = frame.with_columns(pl.all().str.strip_chars_start(" "))
    # Quoted or blank cells may be empty without being null.
    blank = quoted or shape.skip_space
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all())) if blank else frame


def _has_stray_quote(data: bytes, shape: Shape) -> bool:
    """Tell whether a quote stands inside a field that is not quoted, where readers disagree."""
    edge = re.escape(f"{shape.separator}\r\n{shape.quote}")
    return re.search(f"[^{edge}]{shape.quote}[^{edge}]".encode(), data) is not None


def _find_fault(record: Record, width: int) -> str | None:
    if len(record.fields) != width:
        return f"{len(record.fields)} fields where {width} were expected"
    if not record.text.isascii() and any("\udc80" <= character <= "\udcff" for character in record.text):
        return "bytes that are not valid in the file's encoding"
    if max(map(len, record.fields)) > LONGEST_FIELD:
        return f"a field longer than {LONGEST_FIELD:,} characters"
    return None


def _readable(record: Record, width: int) -> tuple[str, ...]:
    """Return the cells of a bad record as far as they can be shown."""
    if len(record.text) > _LONGEST_SHOWN:
        return ()
    return tuple(field.encode("utf-8", "replace").decode("utf-8") for field in record.fields[:width])


def _slow_part(file: str, dialect: Dialect, rows: list[list[str]], records: list[int], rejected: list[Reject]) -> Part:
    columns = zip(*rows, strict=True) if rows else [[] for _ in dialect.columns]
    series = [pl.Series(name, column, pl.String) for name, column in zip(dialect.columns, columns, strict=True)]
    frame = pl.DataFrame(series).with_columns(pl.all().replace("", None))
    return Part(file, frame, np.array(records, np.int64), tuple(rejected), len(rows) + len(rejected))
