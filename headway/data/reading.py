"""From a source's name to a table, nothing interpreted yet."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.dataset import ROW, Origin, Table
from headway.data.sources.archives import name_inside, unpack
from headway.data.sources.columnar import read_parquet
from headway.data.sources.databases import is_sqlite, read_postgresql, read_sqlite
from headway.data.sources.delimited import read_delimited
from headway.data.sources.disguised import refuse_disguised
from headway.data.sources.excel import read_excel
from headway.data.sources.hub import read_hub
from headway.data.sources.images import (
    IMAGE_SUFFIXES,
    find_images,
    image_part,
    read_image_folder,
    resolve_image_columns,
)
from headway.data.sources.json_records import read_json, read_json_lines
from headway.data.sources.part import Part, rejected_frame
from headway.data.sources.streams import COMPRESSED
from headway.errors import DataError
from headway.project.schema import Reading

_TEXT = (".csv", ".tsv", ".txt", ".tab", ".data")
_EXCEL = (".xlsx", ".xlsm", ".xls")
_JSON = (".json", ".jsonl", ".ndjson")
TABLES = (*_TEXT, *_JSON, *_EXCEL, ".parquet", ".pq")
_DEFAULT = Reading()
_UNBOUNDED = 2**63


def read(
    source: str,
    *,
    folder: Path = Path(),
    reading: Reading = _DEFAULT,
    cache: Path | None = None,
    max_rejected: float = 0.10,
    memory: float | None = None,
) -> Table:
    """Read a source as a table of raw cells.

    `source`: a file, a glob, a folder of images, a zip archive (`images.zip!Training` names a part of it), a URL of
    SQLite or PostgreSQL, or `hf://owner/name`; relative paths start at `folder`. Cells that `reading.missing` names
    become null. Archives are unpacked into `cache`, or into a temporary folder. CSV, JSON Lines and Parquet whose cells
    need more than `memory` MB, or half of what is free, are read as a uniform sample of their rows. Raises
    DataError when nothing can be read, and when more than `max_rejected` (a share) of the records are rejected.
    """
    parts = read_parts(source, folder=folder, reading=reading, cache=cache, memory=memory)
    _check_same_columns(parts)
    table = join_parts(parts, reading)
    check_rejected(table, max_rejected, where=source)
    if table.rows.is_empty():
        raise DataError("there are no rows", where=source, expected="at least one record below the header")
    return table


def read_parts(
    source: str, *, folder: Path, reading: Reading, cache: Path | None, memory: float | None = None
) -> list[Part]:
    """Read the files of a source one by one, their columns as they are; see `read`."""
    limit = min(_half_of_free_memory(), _UNBOUNDED if memory is None else int(memory * 2**20))
    return _read_parts(source, folder, _How(reading, cache, limit))


def check_rejected(table: Table, most: float, *, where: str) -> None:
    """Raise DataError with the counted reasons when more than `most` of the records were rejected."""
    places = table.rejected.select("file", "row").unique().height
    if table.read == 0 or places <= most * table.read:
        return
    reasons = Counter(table.rejected["reason"].to_list()).most_common(5)
    first = table.rejected.row(0, named=True)
    raise DataError(
        f"{places:,} of {table.read:,} records cannot be used",
        where=f"{where} (first: {first['file']}, row {first['row']})",
        expected=f"at most {most:.0%} rejected (cleaning: {{max_rejected: {most:g}}})",
        got="; ".join(f"{times:,} x {reason}" for reason, times in reasons),
        fix="put the file right, set reading: {separator, encoding, header}, or raise cleaning.max_rejected",
    )


def blank_missing(frame: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """Return the frame with null for every String cell that is empty or, without its outer blanks, in `missing`."""
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    markers = pl.Series([*missing, ""], dtype=pl.String).unique().implode()
    return frame.with_columns(
        pl.when(pl.col(name).str.strip_chars().is_in(markers)).then(None).otherwise(pl.col(name)).alias(name)
        for name in text
    )


@dataclass(frozen=True)
class _How:
    """How every file is read: as the project says, unpacked where, with at most so many bytes of cells."""

    reading: Reading
    cache: Path | None
    limit: int


def _half_of_free_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available // 2)


def _read_parts(source: str, folder: Path, how: _How) -> list[Part]:
    if source.startswith("sqlite:"):
        return [read_sqlite(source, folder, how.reading)]
    if source.startswith(("postgresql:", "postgres:")):
        return [read_postgresql(source, how.reading)]
    if source.startswith("hf:"):
        return [read_hub(source)]
    if "://" in source:
        raise DataError(
            "addresses of this kind are not read",
            where=source,
            expected="a file, a folder, sqlite:///..., postgresql://... or hf://owner/name",
            fix="download it and name the file",
        )
    name, _, member = source.partition("!")
    if not (folder / source).exists():
        path = folder / name
    else:
        path, member = folder / source, ""
    if path.exists():
        return [_read_path(path, member, how)]
    if any(mark in name for mark in "*?["):
        return _read_glob(name, folder, how)
    raise missing_file(source, path, folder)


def missing_file(source: str, path: Path, folder: Path) -> DataError:
    """Return the error for a source that is not there, with the nearest name beside it."""
    # Endings alone make no two names alike.
    beside = {child.stem: child.name for child in sorted(path.parent.iterdir())} if path.parent.is_dir() else {}
    near = get_close_matches(path.stem, beside, n=1)
    start = "the folder you are in" if folder == Path() else "the folder of the project file"
    return DataError(
        "no such file or folder",
        where=source,
        got=str(path.absolute()),
        fix=f"did you mean {Path(source).parent / beside[near[0]]}?" if near else f"relative paths start at {start}",
    )


def _read_glob(pattern: str, folder: Path, how: _How) -> list[Part]:
    paths = sorted(Path(found) for found in glob.glob(str(folder / pattern), recursive=True))  # noqa: PTH207
    if not paths:
        raise DataError("no file fits the pattern", where=pattern, got=f"nothing in {folder}")
    if all(path.suffix.lower() in IMAGE_SUFFIXES for path in paths):
        return [image_part(pattern, paths, [path.parent.name for path in paths])]
    each = replace(how, limit=how.limit // len(paths))
    return [_read_path(path, "", each) for path in paths]


def _read_path(path: Path, member: str, how: _How) -> Part:
    if path.is_dir():
        return _read_folder(path / member if member else path, how)
    if path.suffix.lower() == ".zip":
        return _read_archive(path, member, how)
    return resolve_image_columns(_read_table(path, how), path.parent)


def _read_archive(archive: Path, member: str, how: _How) -> Part:
    """Read a zip archive or the part of it that `member` names; errors name places inside it as `archive.zip!part`."""
    unpacked = unpack(archive, cache=how.cache)
    inner = unpacked / member
    if not inner.exists():
        names = ", ".join(sorted(child.name for child in unpacked.iterdir())[:10])
        raise DataError("no such part of the archive", where=f"{archive}!{member}", expected=f"one of {names}")
    try:
        return _read_folder(inner, how) if inner.is_dir() else _read_path(inner, "", how)
    except DataError as error:
        raise error.reworded(lambda text: name_inside(text, archive, unpacked)) from error


def _read_folder(folder: Path, how: _How) -> Part:
    """Read a folder that holds one table (beside images it names, perhaps), or images in class folders."""
    if not folder.is_dir():
        raise DataError("no such folder", where=str(folder))
    tables = [path for path in sorted(folder.rglob("*")) if _is_table(path)]
    images = find_images(folder)
    if images and (len(tables) != 1 or not _names_images(tables[0], how)):
        return read_image_folder(folder)
    if len(tables) == 1:
        return _read_path(tables[0], "", how)
    raise DataError(
        "the folder does not say which table to read" if tables else "nothing to read in the folder",
        where=str(folder),
        expected="one table, or one folder of images per class",
        got=", ".join(path.name for path in tables[:8]) or "neither",
        fix=f"name one, such as {tables[0]}, or unpacked files of the same columns as folder/*.csv" if tables else "",
    )


def _is_table(path: Path) -> bool:
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.is_file() and not hidden and file_kind(path) in TABLES and "readme" not in path.name.lower()


def _names_images(path: Path, how: _How) -> bool:
    try:
        frame = _read_table(path, how).frame
    except DataError:
        return False
    texts = [frame[name].drop_nulls().head(20).to_list() for name, kind in frame.schema.items() if kind == pl.String]
    return any(cells and all(Path(cell).suffix.lower() in IMAGE_SUFFIXES for cell in cells) for cells in texts)


def file_kind(path: Path) -> str:
    """Return the suffix that says the format, compression taken off."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _read_table(path: Path, how: _How) -> Part:
    kind = file_kind(path)
    if path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path), got="0 bytes")
    if is_sqlite(path):
        raise DataError("this is an SQLite database", where=str(path), expected="its URL", fix=f"sqlite:///{path.name}")
    if kind in (".parquet", ".pq"):
        return read_parquet(path, limit=how.limit)
    if kind in _EXCEL:
        return read_excel(path, how.reading)
    if kind in (".jsonl", ".ndjson"):
        return read_json_lines(path, how.reading, limit=how.limit)
    if kind == ".json":
        return read_json(path, how.reading, limit=how.limit)
    if kind in IMAGE_SUFFIXES:
        raise DataError("one image is no data set", where=str(path), expected="a folder of images per class")
    if path.suffix.lower() not in COMPRESSED:
        refuse_disguised(path)
    return read_delimited(path, how.reading, limit=how.limit)


def _check_same_columns(parts: Sequence[Part]) -> None:
    wanted = parts[0].frame.columns
    for part in parts[1:]:
        odd = set(part.frame.columns) ^ set(wanted)
        if odd:
            raise DataError(
                "the files do not have the same columns",
                where=part.file,
                expected=f"the columns of {parts[0].file}: {', '.join(wanted)}",
                got=f"differing in {', '.join(sorted(odd))}",
            )


def join_parts(parts: Sequence[Part], reading: Reading) -> Table:
    """Return the parts of a source as one table, its rows numbered in reading order."""
    frames, origins, read = [], [], 0
    for part in parts:
        row = pl.Series(ROW, part.records - part.first + read, pl.UInt32)
        frame = part.frame.drop(ROW, strict=False)
        frames.append(frame.insert_column(0, row).select(ROW, *parts[0].frame.columns))
        origins.append(Origin(part.file, read, part.first))
        read += part.read
    rows = frames[0] if len(frames) == 1 else pl.concat(_with_same_types(frames))
    rejected = rejected_frame(reject for part in parts for reject in part.rejected)
    left_out = sum(part.left_out for part in parts)
    return Table(blank_missing(rows, reading.missing), rejected, read, tuple(origins), left_out)


def _with_same_types(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Turn the columns that differ in type between the files into strings."""
    mixed = [name for name in frames[0].columns if len({frame.schema[name] for frame in frames}) > 1]
    return [frame.with_columns(pl.col(mixed).cast(pl.String)) for frame in frames]


def locate(table: Table, row: int) -> tuple[str, int]:
    """Return the file and the record in it that the row numbered `row` came from."""
    firsts = np.array([origin.first for origin in table.origins])
    origin = table.origins[int(np.searchsorted(firsts, row, side="right")) - 1]
    return origin.file, row - origin.first + origin.record
