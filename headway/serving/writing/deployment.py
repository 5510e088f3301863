"""A package that writes text behind one name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headway.runtime.generation import Generator, load_generator
from headway.serving.deployments import version_of
from headway.serving.limits import Limits
from headway.serving.writing.author import Author


@dataclass(frozen=True)
class TextDeployment:
    """One open package: ready to write."""

    name: str
    version: str
    generator: Generator
    author: Author


def open_writer(path: Path, *, name: str | None, limits: Limits, threads: int) -> TextDeployment:
    """Open a package that writes text and start its thread; `name` None takes the package's own.

    Raises `PackageError`.
    """
    return deploy_generator(load_generator(path, threads=threads, slots=limits.texts), name=name, limits=limits)


def deploy_generator(generator: Generator, *, name: str | None, limits: Limits) -> TextDeployment:
    """Return the deployment of a package that is open already."""
    for _ in generator.stream(_warming(generator)):  # so that the first request is not the slow one
        break
    manifest = generator.manifest
    author = Author(generator, queue=limits.queue_texts)
    return TextDeployment(name or manifest.name, version_of(manifest), generator, author)


def _warming(generator: Generator) -> str:
    """Return a prompt that every package can read."""
    del generator
    return "a"
