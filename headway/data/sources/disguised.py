"""Files that are no tables of text, whatever their names say."""

from __future__ import annotations

import zipfile
from pathlib import Path

from headway.errors import DataError

_EXPECTED = "a table: CSV, TSV, JSON, JSON Lines, Parquet or Excel"
_SAVE = "save its table as CSV or Excel and name that file"
# How a file begins, what it is then, and the next step.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", _SAVE),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as .xlsx or CSV and name that file"),
    (b"PAR1", "a Parquet file", "give its name the ending .parquet"),
    (b"\x1f\x8b", "a gzip file", "give its name the ending .gz"),
)
_ZIP = b"PK\x03\x04"


def refuse_disguised(path: Path) -> None:
    """Raise `DataError` for a file that is to be read as text and is something else; told by its first bytes."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_ZIP):
        raise _error(path, *_look_into(path))
    for mark, kind, fix in _KINDS:
        if start.startswith(mark):
            raise _error(path, kind, fix)


def _look_into(path: Path) -> tuple[str, str]:
    """Return what a zip archive is, by the names in it, and the next step."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return "a damaged zip archive or Office document", _SAVE
    if any(name.startswith("xl/") for name in names):
        return "an Excel file", "give its name the ending .xlsx"
    if any(name.startswith(("word/", "ppt/")) for name in names) or "mimetype" in names:
        return "an Office document", _SAVE
    return "a zip archive", "give its name the ending .zip"


def _error(path: Path, kind: str, fix: str) -> DataError:
    return DataError("this is no table of text", where=str(path), expected=_EXPECTED, got=kind, fix=fix)
