"""This very Headway as a wheel, so that an image gets what was tested here, without an index that has it."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import headway

_WHEEL = "Wheel-Version: 1.0\nGenerator: headway\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LEFT_OUT = frozenset({"__pycache__"})


def build_wheel() -> tuple[str, bytes]:
    """Return the wheel's file name and content: the installed modules as they are, the same bytes each time."""
    installed = distribution("headway")
    name = f"headway-{headway.__version__}"
    described = f"{name}.dist-info"
    metadata = installed.read_text("METADATA") or installed.read_text("PKG-INFO") or ""
    scripts = "[console_scripts]\nheadway = headway.cli:main\n"
    files = {
        **_modules(Path(headway.__file__).parent),
        f"{described}/METADATA": metadata.encode(),
        f"{described}/WHEEL": _WHEEL.encode(),
        f"{described}/entry_points.txt": scripts.encode(),
    }
    lines = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in files.items()]
    record = f"{described}/RECORD"
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    return f"{name}-py3-none-any.whl", _zip(files)


def _modules(package: Path) -> dict[str, bytes]:
    """Return the files of the package by their place in the wheel."""
    paths = sorted(path for path in package.rglob("*") if path.is_file() and not _LEFT_OUT & set(path.parts))
    return {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in paths}


def _digest(content: bytes) -> str:
    """Return a sha256 as RECORD files write it (PEP 376)."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: dict[str, bytes]) -> bytes:
    """Return the files as a zip without times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o100644 << 16
            archive.writestr(member, content, compress_type=zipfile.ZIP_DEFLATED)
    return stream.getvalue()
