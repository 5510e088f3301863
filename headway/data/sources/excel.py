"""Excel workbooks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl

from headway.data.sources.dialect import has_header, name_columns
from headway.data.sources.json_records import as_series, as_string
from headway.data.sources.part import Part, whole_part
from headway.data.sources.streams import Guard
from headway.errors import DataError
from headway.project.schema import Reading


def read_excel(path: Path, reading: Reading) -> Part:
    """Read one sheet of a workbook: `reading.sheet`, or the first that holds anything.

    Raises DataError for a damaged file, an old .xls file, an unknown sheet and doubled column names.
    """
    rows, sheet = _read_rows(path, reading.sheet)
    where = f"{path}, sheet {sheet}"
    if not rows:
        raise DataError("the sheet is empty", where=where, expected="at least one row")
    width = max(len(row) for row in rows)
    rows = [[*row, *[None] * (width - len(row))] for row in rows]
    texts = [[as_string(cell) or "" for cell in row] for row in rows[:500]]
    header = reading.header if reading.header is not None else has_header(texts[0], texts[1:], reading.missing)
    if reading.columns is not None and len(reading.columns) != width:
        raise DataError(
            "reading.columns does not fit the sheet",
            where=where,
            expected=f"{width} names",
            got=f"{len(reading.columns)} names",
        )
    given = [f"column_{number}" for number in range(1, width + 1)]
    names = name_columns(reading.columns or (texts[0] if header else given), where=where)
    cells = zip(*rows[header:], strict=True) if len(rows) > header else [[] for _ in names]
    frame = pl.DataFrame([as_series(name, list(column)) for name, column in zip(names, cells, strict=True)])
    return whole_part(str(path), frame, first=2 if header else 1)


def _read_rows(path: Path, wanted: str | None) -> tuple[list[list[object]], str]:
    import openpyxl

    if path.suffix == ".xls":
        raise DataError("old Excel files are not read", where=str(path), fix="save it as .xlsx or .csv")
    try:
        with zipfile.ZipFile(path) as archive:
            Guard(str(path), path.stat().st_size).count(sum(entry.file_size for entry in archive.infolist()))
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError("the Excel file is damaged", where=str(path), got=str(error)) from error
    try:
        if wanted is not None and wanted not in book.sheetnames:
            raise DataError(
                "no such sheet", where=str(path), expected="one of " + ", ".join(book.sheetnames), got=wanted
            )
        for name in [wanted] if wanted is not None else book.sheetnames:
            rows = [list(row) for row in book[name].iter_rows(values_only=True)]
            rows = [row for row in rows if any(cell is not None for cell in row)]
            if rows:
                return _without_empty_columns(rows), name
        return [], wanted or str(book.sheetnames[0])
    finally:
        book.close()


def _without_empty_columns(rows: list[list[object]]) -> list[list[object]]:
    """Cut trailing columns that no row fills: formatting alone makes Excel report them."""
    width = max((position for row in rows for position, cell in enumerate(row, 1) if cell is not None), default=0)
    return [row[:width] for row in rows]
