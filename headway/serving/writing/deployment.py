"""A package that writes text behind one name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headway.errors import PackageError
from headway.runtime.archive import read_package
from headway.runtime.generation.answering import TextEngine
from headway.runtime.generation.engine import Engine
from headway.runtime.generation.generator import Generator, assemble_generator
from headway.runtime.manifest import Manifest
from headway.serving.deployments import version_of
from headway.serving.limits import Limits
from headway.serving.writing.author import Author
from headway.serving.writing.choosing import Wanted, choose_engine

Note = Callable[[str, str], None]


@dataclass(frozen=True)
class TextDeployment:
    """One open package: ready to write."""

    name: str
    version: str
    manifest: Manifest
    engine: TextEngine
    author: Author


def open_writer(
    path: Path,
    *,
    name: str | None,
    limits: Limits,
    threads: int,
    engine: Wanted = "auto",
    note: Note = lambda _name, _why: None,
) -> TextDeployment:
    """Open a package that writes text and start its thread; `name` None takes the package's own.

    `engine`: which one writes. Where `auto` finds vLLM usable and it does not open this package, `note` hears the name
    and why, and onnxruntime writes. Raises `PackageError`, and `RunError` where vLLM is asked for and cannot be.
    """
    manifest, files = read_package(path)
    if manifest.generation is None:
        raise PackageError("this package writes no text", where=str(path), expected="the task generate",
                           got=manifest.task)  # fmt: skip
    if choose_engine(engine) == "vllm":
        from headway.serving.writing.vllm.opening import open_vllm

        try:
            return _deploy(manifest, open_vllm(manifest, files), name=name, limits=limits)
        except Exception as error:
            if engine == "vllm":
                raise
            note(name or manifest.name, f"{type(error).__name__}: {error}"[:500])
    generator = assemble_generator(manifest, files, threads=threads, slots=limits.texts)
    return deploy_generator(generator, name=name, limits=limits)


def deploy_generator(generator: Generator, *, name: str | None, limits: Limits) -> TextDeployment:
    """Return the deployment of a package that is open already."""
    for _ in generator.stream("a"):  # so that the first request is not the slow one
        break
    return _deploy(generator.manifest, Engine(generator.decoder, generator.prompts), name=name, limits=limits)


def _deploy(manifest: Manifest, engine: TextEngine, *, name: str | None, limits: Limits) -> TextDeployment:
    author = Author(engine, queue=limits.queue_texts)
    return TextDeployment(name or manifest.name, version_of(manifest), manifest, engine, author)
