"""The files of a package, from a folder or a zip file, read into memory and verified; nothing is unpacked to disk."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from pathlib import Path

from headway.errors import PackageError
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import MAX_BYTES, from_json
from headway.runtime.manifest_rules import is_safe_name

MANIFEST = "manifest.json"
MODEL = "model.onnx"
# Counts of the training rows, for seeing drift; older packages have none.
REFERENCE = "reference.json"
SUFFIX = ".headway"

# A package is a model for one small machine: more than this is an attack or a mistake.
MAX_TOTAL = 8_000_000_000
MAX_FILES = 1000
# Deflate reaches about 1000; the files of a real package (weights, vocabularies) stay far below.
MAX_RATIO = 200
_STORED_FREELY = 1_000_000

_NO_PACKAGE = ("this is not a package", f"a file {MANIFEST} in it")


def read_package(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and all other files by name, each proven against its sha256.

    Raises `PackageError` for a path that is no package, members that climb out, links, duplicates, files that are
    missing, changed or not listed, zip bombs, and everything `from_json` refuses.
    """
    try:
        files = _read_folder(path) if path.is_dir() else _read_zip(path)
    except OSError as error:
        raise _refuse(path, "the package cannot be read", got=str(error)) from error
    if MANIFEST not in files:
        raise _refuse(path, *_NO_PACKAGE, got=_names(files))
    manifest = from_json(files.pop(MANIFEST))
    _verify(path, manifest, files)
    return manifest, files


def _verify(path: Path, manifest: Manifest, files: dict[str, bytes]) -> None:
    """Raise `PackageError` unless exactly the listed files are there, unchanged."""
    if unlisted := sorted(set(files) - set(manifest.files)):
        raise _refuse(path, f"the package holds files that its manifest does not list: {_names(unlisted)}")
    if absent := sorted(set(manifest.files) - set(files)):
        raise _refuse(path, f"the package lacks files that its manifest lists: {_names(absent)}")
    if MODEL not in files:
        raise _refuse(path, "the package has no model", expected=f"a file {MODEL}")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise _refuse(
                path, f"the file {name!r} was changed", expected=f"sha256 {manifest.files[name]}", got="another content"
            )


def _read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder; links are refused, whatever they point to."""
    if not (folder / MANIFEST).is_file():  # what is no package may hold anything, and be large
        beside = sorted(path.name for path in folder.iterdir())
        raise _refuse(folder, *_NO_PACKAGE, got=_names(beside), fix=_find_inside(folder))
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode) or not is_safe_name(name):
            raise _refuse(folder, f"{name!r} is not a plain file", expected="plain files, no links")
        total += path.stat().st_size
        _check_size(folder, name, path.stat().st_size, total, len(files))
        files[name] = path.read_bytes()
    return files


def _read_zip(path: Path) -> dict[str, bytes]:
    """Return the members of a zip file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [_checked(path, member) for member in archive.infolist()]
            names = [member.filename for member in members]
            if len(set(names)) != len(names):
                raise _refuse(path, f"two members have the name {next(n for n in names if names.count(n) > 1)!r}")
            total = 0
            for number, member in enumerate(members):
                total += member.file_size
                _check_size(path, member.filename, member.file_size, total, number)
            return {member.filename: _read_member(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _refuse(path, "this is not a package", expected="a folder or a .headway file", got=str(error)) from error


def _checked(path: Path, member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return the member if it is a plain file that stays inside and is not blown up."""
    if not is_safe_name(member.filename) or member.filename != member.orig_filename:
        raise _refuse(path, f"the member {member.filename[:80]!r} climbs out of the package or has no plain name")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise _refuse(path, f"the member {member.filename!r} is not a plain file", expected="plain files, no links")
    if member.flag_bits & 1:
        raise _refuse(path, f"the member {member.filename!r} is encrypted")
    if member.file_size > max(_STORED_FREELY, member.compress_size * MAX_RATIO):
        raise _refuse(
            path,
            f"the member {member.filename!r} looks like a zip bomb",
            expected=f"at most {MAX_RATIO} times its packed size",
            got=f"{member.compress_size} bytes that become {member.file_size}",
        )
    return member


def _check_size(path: Path, name: str, size: int, total: int, number: int) -> None:
    """Raise `PackageError` for more or larger files than a package may have."""
    if number >= MAX_FILES:
        raise _refuse(path, "the package has too many files", expected=f"at most {MAX_FILES}")
    if total > MAX_TOTAL or (name == MANIFEST and size > MAX_BYTES):
        raise _refuse(path, f"the file {name!r} makes the package too large", got=f"{total} bytes")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return one member; never more than the size it announces, which was checked."""
    with archive.open(member) as stream:
        return stream.read(member.file_size)


def _names(names: object) -> str:
    """Return file names for a message, a few of them."""
    assert isinstance(names, dict | list)
    return ", ".join(repr(name) for name in list(names)[:5]) or "nothing"


def _find_inside(path: Path) -> str:
    """Return the next step where the package lies within the folder, as it does in a run's."""
    inside = (path / "compressed" / "package", path / "package", path / "latest" / "package")
    found = next((folder for folder in inside if (folder / MANIFEST).is_file()), None)
    return "" if found is None else f"did you mean {found}?"


def _refuse(path: Path, what: str, expected: str = "", *, got: str = "", fix: str = "") -> PackageError:
    """Return the error with the package's path."""
    return PackageError(what, where=str(path), expected=expected, got=got[:300], fix=fix)
