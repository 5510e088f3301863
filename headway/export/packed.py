"""The package that is exported: its files, and what is known of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headway.errors import ExportError
from headway.runtime.archive import MANIFEST, read_package
from headway.runtime.feeds.cells import Cells
from headway.runtime.generation.generator import assemble_generator
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import to_json
from headway.runtime.model import Model, assemble


@dataclass(frozen=True)
class Packed:
    """A package that was read and verified; `files` are all but the manifest, by name."""

    manifest: Manifest
    files: Mapping[str, bytes]

    @property
    def all_files(self) -> dict[str, bytes]:
        """Return every file of the package, the manifest among them."""
        return {**self.files, MANIFEST: to_json(self.manifest).encode()}

    @property
    def slug(self) -> str:
        """Return the package's name as a file, an image and a Kubernetes object may have it."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.manifest.name.lower()).strip("-")[:40].strip("-")
        return plain or "model"

    @property
    def version(self) -> str:
        """Return twelve digits that change with any byte of the package."""
        return hashlib.sha256(to_json(self.manifest).encode()).hexdigest()[:12]

    @property
    def reads_tokens(self) -> bool:
        """Tell whether the package needs the library that reads tokens."""
        return any(feed.kind == "tokens" for feed in self.manifest.feeds)

    @cached_property
    def model(self) -> Model:
        """Return the package, opened."""
        return assemble(self.manifest, self.files)

    @property
    def example(self) -> dict[str, Any]:
        """Return a row of real cells; None where the manifest keeps no example (images)."""
        return {column.name: column.example for column in self.manifest.inputs}

    def columns(self, rows: list[dict[str, Any]]) -> dict[str, Cells]:
        """Return rows as columns."""
        return {column.name: [row.get(column.name) for row in rows] for column in self.manifest.inputs}


def open_packed(path: Path) -> Packed:
    """Read and verify the package at `path`; raises `PackageError`, also where the graph does not open."""
    manifest, files = read_package(path)
    packed = Packed(manifest, files)
    if manifest.image_generation is not None:
        raise ExportError(
            "a package that draws pictures cannot be taken elsewhere yet",
            where=str(path),
            expected="a package that predicts or writes text",
            fix="headway serve serves it; its model.onnx draws uint8 pixels from noise and labels",
        )
    if manifest.task == "generate":
        assemble_generator(manifest, files, slots=1)
    else:
        _ = packed.model
    return packed
