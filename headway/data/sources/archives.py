"""Zip archives, unpacked safely into a cache folder."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from headway.data.sources.streams import Guard
from headway.errors import DataError

_MOST_ENTRIES = 1_000_000
_CHUNK = 2**20


def unpack(archive: Path, *, cache: Path | None) -> Path:
    """Unpack a zip archive once and return the folder; a second call finds it there.

    Without a `cache` folder a temporary one lives as long as the process. Raises DataError for a damaged or encrypted
    archive, an entry that climbs out of the folder, and a decompression bomb.
    """
    status = archive.stat()
    mark = hashlib.sha256(f"{archive.absolute()}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
    home = cache if cache is not None else _temporary_folder()
    target = home / f"{archive.stem}-{mark}"
    if target.is_dir():
        return target
    home.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=home))
    try:
        _unpack_into(archive, partial)
        _rename(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def name_inside(text: str, archive: Path, unpacked: Path) -> str:
    """Return a text in which paths below the folder `unpacked` are written as a user knows them: `archive.zip!part`."""
    return text.replace(f"{unpacked}/", f"{archive}!").replace(str(unpacked), str(archive))


def _unpack_into(archive: Path, folder: Path) -> None:
    guard = Guard(str(archive), archive.stat().st_size)
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise DataError("too many files in the archive", where=str(archive), got=f"{len(entries):,} files")
            for entry in entries:
                name = _entry_name(entry)
                target = _safe_target(folder, name, archive)
                if entry.is_dir() or stat.S_ISLNK(entry.external_attr >> 16):
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(packed, entry, target, guard)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise DataError(
            "the zip archive cannot be unpacked",
            where=str(archive),
            got=str(error),
            fix="an encrypted or damaged archive must be unpacked by hand",
        ) from error


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the entry's name; Chinese Windows writes names in GBK, which zipfile takes for cp437."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _safe_target(folder: Path, name: str, archive: Path) -> Path:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1]):
        raise DataError(
            "an entry of the archive climbs out of its folder",
            where=str(archive),
            got=name,
            fix="do not trust this file",
        )
    return folder / path


def _copy(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, guard: Guard) -> None:
    with packed.open(entry) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            guard.count(len(chunk))
            sink.write(chunk)


def _rename(partial: Path, target: Path) -> None:
    try:
        os.rename(partial, target)  # noqa: PTH104 - Path.rename would do the same
    except OSError:
        # Another process was first; its copy is as good.
        if not target.is_dir():
            raise


_temporary: list[Path] = []


def _temporary_folder() -> Path:
    if not _temporary:
        folder = Path(tempfile.mkdtemp(prefix="headway-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _temporary.append(folder)
    return _temporary[0]
