"""Delimited text, record by record: slower than Polars, and forgiving."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

# An opened quote may span this many lines before it counts as a mistake.
LONGEST_QUOTE_LINES = 1000
LONGEST_FIELD = 16 * 2**20


@dataclass(frozen=True)
class Record:
    """One record: its fields, or the reason why it has none; `lines` physical lines starting at `text`."""

    fields: list[str]
    text: str
    reason: str | None = None


@dataclass(frozen=True)
class Shape:
    """How fields are told apart: separator, quote character (None: quotes are ordinary), blanks after separators."""

    separator: str = ","
    quote: str | None = '"'
    skip_space: bool = False


def parse_records(text: str, shape: Shape, *, whole: bool = True) -> Iterator[Record]:
    r"""Yield every record of `text`; blank lines are left out.

    A quote that opens and does not close within 1,000 lines spoils only its own line. With `whole` False a record that
    is still open at the end of `text` is yielded with the reason "open" and everything from its start as `text`.
    """
    csv.field_size_limit(LONGEST_FIELD)
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    position, patience = 0, LONGEST_QUOTE_LINES
    while position < len(lines):
        line = lines[position].removesuffix("\r")
        if not line.strip(" "):
            position += 1
            continue
        if shape.quote is None or shape.quote not in line:
            yield Record(_split(line, shape), line)
            position += 1
            continue
        record, used = _quoted(lines, position, shape, patience)
        if record.reason and not whole and position + patience >= len(lines):
            yield Record([], "\n".join(lines[position:]) + "\n", "open")
            return
        if record.reason:
            patience = max(1, patience // 2)
        yield record
        position += used


def _split(line: str, shape: Shape) -> list[str]:
    fields = line.split(shape.separator)
    return [field.lstrip(" ") for field in fields] if shape.skip_space else fields


def _quoted(lines: list[str], position: int, shape: Shape, patience: int) -> tuple[Record, int]:
    """Return the record that starts at `position`, and how many lines it takes."""
    text = lines[position]
    for used in range(1, min(patience, len(lines) - position) + 1):
        if used > 1:
            extra = lines[position + used - 1]
            if shape.separator == "\t" and "\t" in extra:
                # Tab-separated files mostly know no quoting: the quote was a letter like any other.
                return Record(_split(lines[position].removesuffix("\r"), shape), lines[position]), 1
            text += "\n" + extra
            if shape.quote is not None and shape.quote not in extra:
                continue
        fields = _fields(text, shape)
        if fields is not None:
            return Record(fields, text), used
        if len(text) > LONGEST_FIELD:
            break
    return Record([], lines[position], "a quote opens and never closes"), 1


def _fields(text: str, shape: Shape) -> list[str] | None:
    """Return the fields of a complete record, or None when a quote is still open."""
    body = text.removesuffix("\r")
    try:
        return _parse(body, shape, strict=True)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None
    try:
        return _parse(body, shape, strict=False)
    except csv.Error:
        return None


def _parse(text: str, shape: Shape, *, strict: bool) -> list[str]:
    head, *tail = text.split("\n")
    reader = csv.reader(
        [head, *("\n" + line for line in tail)],
        delimiter=shape.separator,
        quotechar=shape.quote,
        skipinitialspace=shape.skip_space,
        strict=strict,
    )
    return next(reader)
