"""What goes into an export and what comes out of making one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What only some targets look at.

    `image`: the name of the container image, with its tag (docker, kubernetes). `base`: the image that the Dockerfile
    starts from. `runtime`: a folder with the npm package onnxruntime-web, which is fetched with npm where it is None.
    """

    image: str | None = None
    base: str | None = None
    runtime: Path | None = None


@dataclass(frozen=True)
class Content:
    """The files of an export by name, and what to know about it."""

    files: Mapping[str, bytes]
    remarks: tuple[str, ...] = ()
