"""How a delimited file is written: separator, quotes, header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headway.data.sources.records import Shape, parse_records
from headway.errors import DataError
from headway.project.schema import Reading

_SEPARATORS = (",", "\t", ";", "|")
_SAMPLE_RECORDS = 500
# This share of the sampled records must have the same number of fields before a separator is believed.
_AGREEMENT = 0.7
# Of so few records one may differ, if it is not the first.
_FEW = 3
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?%?")
_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?([ T].*)?")
_LONGEST_NAME = 64
_LONGEST_NAME_WORDS = 6


@dataclass(frozen=True)
class Dialect:
    """A shape, whether the first record is a header, and the names of the columns."""

    shape: Shape
    header: bool
    columns: tuple[str, ...]


def find_dialect(sample: str, reading: Reading, *, where: str) -> Dialect:
    """Return how the file that starts with `sample` is written, as far as `reading` does not say it.

    Raises DataError for an empty file, for doubled column names and for a wrong number of `reading.columns`.
    """
    shape = _find_shape(sample, reading.separator)
    records = _sample_records(sample, shape)
    if not records:
        raise DataError("the file is empty", where=where, expected="at least one record")
    width = Counter(map(len, records)).most_common(1)[0][0]
    records = [record for position, record in enumerate(records) if len(record) == width or position == 0]
    header = reading.header
    if header is None:
        header = len(records[0]) == width and has_header(records[0], records[1:], reading.missing)
    if reading.columns is not None:
        return Dialect(shape, header, _given_columns(reading.columns, width, where))
    if not header:
        return Dialect(shape, header, tuple(f"column_{number}" for number in range(1, width + 1)))
    return Dialect(shape, header, name_columns(records[0], where=where))


def name_columns(header: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Return stripped column names, `column_<n>` for empty ones; raise DataError when two are equal."""
    names = tuple(name.strip().strip("\ufeff") or f"column_{number}" for number, name in enumerate(header, 1))
    doubled = [name for name, times in Counter(names).items() if times > 1]
    if doubled:
        raise DataError(
            f"{len(doubled)} column name(s) occur more than once",
            where=f"{where}, header",
            expected="every column to have a name of its own",
            got=", ".join(doubled),
            fix="rename them in the file, or give all names as reading: {columns: [...]}",
        )
    return names


def has_header(first: Sequence[str], others: Sequence[Sequence[str]], missing: Sequence[str]) -> bool:
    """Tell whether the first record names the columns.

    It does not when one of its cells is a number, a date, long, or repeated; it does when a column below it holds
    numbers or dates only; otherwise it does unless one of its cells occurs again in its column.
    """
    named = [cell.strip() for position, cell in enumerate(first) if position or cell.strip()]
    if not named or any(_is_value(cell) or cell in missing or _is_prose(cell) for cell in named):
        return False
    rows = [row for row in others if len(row) == len(first)]
    if not rows:
        return True
    columns = [[row[position].strip() for row in rows] for position in range(len(first))]
    filled = [[cell for cell in column if cell not in missing] for column in columns]
    if any(column and all(_is_value(cell) for cell in column) for column in filled):
        return True
    return not any(name.strip() in column for name, column in zip(first, columns, strict=True) if name.strip())


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _is_prose(cell: str) -> bool:
    return len(cell) > _LONGEST_NAME or len(cell.split()) > _LONGEST_NAME_WORDS


def _given_columns(columns: tuple[str, ...], width: int, where: str) -> tuple[str, ...]:
    if len(columns) != width:
        raise DataError(
            "reading.columns does not fit the file",
            where=where,
            expected=f"{width} names, one per column",
            got=f"{len(columns)} names",
        )
    return name_columns(columns, where="reading.columns")


def _find_shape(sample: str, separator: str | None) -> Shape:
    best, best_share = Shape(separator or ",", _possible_quotes(sample)[0]), 0.0
    for candidate in [separator] if separator else _SEPARATORS:
        if candidate not in sample:
            continue
        shape, share, width = _with_quotes(candidate, sample)
        if width > 1 and (share >= _AGREEMENT or separator) and share > best_share + 1e-9:
            best, best_share = shape, share
    if best_share == 0 and separator is None:
        return _without_comma(sample)
    spaced = sample.count(best.separator + " ") * 10 >= sample.count(best.separator) * 9
    return Shape(best.separator, best.quote, skip_space=spaced and best.separator != " ")


def _with_quotes(separator: str, sample: str) -> tuple[Shape, float, int]:
    """Return the shape with the better quotes, the larger share of records that agree, and their width."""
    found = [
        (_agreement(_sample_records(sample, Shape(separator, quote))), quote) for quote in _possible_quotes(sample)
    ]
    (share, width), quote = max(found, key=lambda item: item[0][0])
    # A comma-separated file nearly always knows quotes, even if some are damaged; a tab-separated one often does not.
    if separator != "\t" and found[0][0][0] >= share - 0.2:
        quote = found[0][1]
    return Shape(separator, quote), share, width


def _without_comma(sample: str) -> Shape:
    """Return the shape of a file that has one column, or numbers between blanks."""
    blanks = Shape(" ", None)
    records = _sample_records(sample, blanks)
    share, width = _agreement(records)
    if width > 1 and share >= 0.98 and all(_is_value(cell) for record in records[1:20] for cell in record):
        return blanks
    # No separator at all: one column. A unit separator does not occur in text.
    return Shape("\x1f", '"' if _quotes_whole_lines(sample) else None)


def _quotes_whole_lines(sample: str) -> bool:
    """Tell whether the quotes that open a line of a one-column file close at the end of one."""
    ends = [end.strip() for end in re.findall(r'(?m)^"(?:[^"]|"")*+("?.*)$', sample)]
    return '"' in ends and all(end in {'"', ""} for end in ends)  # the sample may end within a cell


def _possible_quotes(sample: str) -> tuple[str | None, ...]:
    if '"' in sample:
        return ('"', None)
    inner = re.sub(r"(?m)(^|[,;\t|] ?)'|'(?=[,;\t|\r]|$)", "", sample)
    return ("'",) if "'" in sample and "'" not in inner else ('"',)


def _sample_records(sample: str, shape: Shape) -> list[list[str]]:
    records = []
    for record in parse_records(sample, shape, whole=False):
        if record.reason != "open":
            records.append(record.fields)
        if len(records) == _SAMPLE_RECORDS:
            break
    return records


def _agreement(records: list[list[str]]) -> tuple[float, int]:
    """Return the share of records with the most common number of fields, and that number."""
    if not records:
        return 0.0, 0
    width, times = Counter(map(len, records)).most_common(1)[0]
    if len(records) == _FEW and times == _FEW - 1 and len(records[0]) == width:
        return _AGREEMENT, width
    return times / len(records), width
