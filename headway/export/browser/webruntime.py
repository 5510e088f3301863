"""onnxruntime-web: from a folder that is given, or fetched once with the user's npm."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from headway.errors import ExportError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
# What the page needs of the npm package: the name here, and the sha256 that version 1.30.0 has.
_SCRIPT, _WASM = "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"
_FILES = {
    "ort.js": (_SCRIPT, "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90"),
    "ort.wasm": (_WASM, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"),
}
_TIMEOUT = 300.0


@dataclass(frozen=True)
class WebRuntime:
    """The files of onnxruntime-web as the page loads them, and its version."""

    version: str
    files: Mapping[str, bytes]


def find_web_runtime(folder: Path | None) -> WebRuntime:
    """Return onnxruntime-web from `folder` (the npm package, or one with it in node_modules), else from npm.

    Raises `ExportError` where it is not there, cannot be fetched, or is not what version 1.30.0 is known to be.
    """
    return _fetch() if folder is None else _from_folder(folder)


def _from_folder(folder: Path) -> WebRuntime:
    """Return the package that lies in a folder."""
    place = next((each for each in (folder, folder / "node_modules" / PACKAGE) if (each / _SCRIPT).is_file()), None)
    if place is None or not (place / "package.json").is_file():
        raise ExportError(
            f"{PACKAGE} is not there",
            where=str(folder),
            expected=f"the npm package {PACKAGE}, with {_SCRIPT} in it",
            fix=f"npm install {PACKAGE}@{VERSION}",
        )
    version = str(json.loads((place / "package.json").read_text(encoding="utf-8")).get("version", ""))
    return _proven(version, lambda name: (place / name).read_bytes(), str(place))


def _fetch() -> WebRuntime:
    """Return the package that npm brings; npm checks what comes against the registry's digest, and so do we."""
    npm = shutil.which("npm")
    if npm is None:
        raise ExportError(
            f"{PACKAGE} is fetched with npm, which is not installed",
            expected="npm on the PATH, or a folder that holds the package",
            fix=f"install Node.js, or pass --runtime with a folder that holds {PACKAGE} {VERSION}",
        )
    with tempfile.TemporaryDirectory(prefix="headway-") as scratch:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", scratch]
        try:
            done = subprocess.run(  # noqa: S603 - npm, with nothing of the package in its arguments
                command, cwd=scratch, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _not_fetched("npm took too long") from error
        packed = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode != 0 or packed is None:
            raise _not_fetched(done.stderr.strip()[-300:] or "npm brought nothing")
        with tarfile.open(packed) as archive:
            return _proven(VERSION, lambda name: _member(archive, name), packed.name)


def _not_fetched(got: str) -> ExportError:
    return ExportError(
        f"{PACKAGE} cannot be fetched",
        expected=f"npm pack {PACKAGE}@{VERSION} to work",
        got=got,
        fix=f"try it by hand, or pass --runtime with a folder that holds {PACKAGE} {VERSION}",
    )


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return one file of an npm archive."""
    stream = archive.extractfile(f"package/{name}")
    if stream is None:
        raise FileNotFoundError(name)
    return stream.read()


def _proven(version: str, read: Callable[[str], bytes], where: str) -> WebRuntime:
    """Return the files; those of the known version must be the known bytes."""
    files: dict[str, bytes] = {}
    for name, (source, digest) in _FILES.items():
        try:
            files[name] = read(source)
        except (OSError, KeyError) as error:
            raise ExportError(f"{PACKAGE} lacks a file", where=where, expected=source) from error
        found = hashlib.sha256(files[name]).hexdigest()
        if version == VERSION and found != digest:
            raise ExportError(f"{PACKAGE} was changed", where=f"{where}, {source}", expected=digest, got=found)
    return WebRuntime(version, files)
