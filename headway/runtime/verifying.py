"""Prove a package, whatever it does."""

from __future__ import annotations

from pathlib import Path

from headway.runtime.archive import read_package
from headway.runtime.generation.generator import assemble_generator
from headway.runtime.image_generation import assemble_image_generator
from headway.runtime.manifest import Manifest
from headway.runtime.model import assemble


def verify(path: str | Path) -> Manifest:
    """Open a package that predicts, writes text or draws pictures; return its manifest; raises `PackageError`."""
    manifest, files = read_package(Path(path))
    if manifest.image_generation is not None:
        return assemble_image_generator(manifest, files).manifest
    if manifest.task == "generate":
        return assemble_generator(manifest, files, slots=1).manifest
    return assemble(manifest, files).manifest
