"""Models that installed Python packages carry, whatever their name: found by their files, never imported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath


def list_packaged() -> Iterator[tuple[str, Path]]:
    """Yield the name of every installed package that carries a model's folder, and that folder."""
    for distribution in metadata.distributions():
        record = distribution.read_text("RECORD") or ""
        if "config.json" not in record or ".safetensors" not in record:
            continue
        folder = _find_folder(distribution, record)
        if folder is not None:
            yield str(distribution.metadata["Name"]), folder


def find_packaged(name: str) -> Path | None:
    """Return the model's folder in the installed package called `name`, or None."""
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    return _find_folder(distribution, distribution.read_text("RECORD") or "")


def _find_folder(distribution: metadata.Distribution, record: str) -> Path | None:
    paths = {PurePosixPath(line.split(",")[0].strip('"')) for line in record.splitlines()}
    folders = sorted({path.parent for path in paths if path.suffix == ".safetensors"})
    for folder in folders:
        if folder / "config.json" in paths:
            return Path(str(distribution.locate_file(folder)))
    return None
