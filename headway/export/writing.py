"""Put an export in its place as a whole."""

from __future__ import annotations

import glob
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from headway import __version__
from headway.errors import ExportError
from headway.export.packed import Packed

RECORD = "headway-export.json"


def write_export(folder: Path, target: str, packed: Packed, files: Mapping[str, bytes]) -> None:
    """Write `files` and a record of where they come from as the new content of `folder`.

    The folder is replaced at once; a killed write leaves only a name that starts with a dot, which the next removes.
    Raises `ExportError` where it holds anything but an earlier export.
    """
    folder = folder.absolute()
    _check_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    for name, content in {**files, RECORD: _record(target, packed)}.items():
        path = partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old.partial")
    if folder.exists():
        folder.replace(old)
    partial.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _check_place(folder: Path) -> None:
    """Raise `ExportError` where writing would destroy something that is no export."""
    if not folder.exists() or (folder / RECORD).is_file() or (folder.is_dir() and not any(folder.iterdir())):
        return
    raise ExportError(
        "the place for the export holds something else",
        where=str(folder),
        expected="no folder, an empty one, or an earlier export",
        fix="name another folder with --out",
    )


def _record(target: str, packed: Packed) -> bytes:
    """Return what was exported, for people and for the next export."""
    record = {
        "target": target,
        "package": packed.manifest.name,
        "version": packed.version,
        "package_created": packed.manifest.created,
        "headway": __version__,
    }
    return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode()
