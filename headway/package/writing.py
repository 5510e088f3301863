"""Write a package: proven against the trained model, opened once, then moved into place."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from headway import __version__
from headway.errors import PackageError
from headway.package.graph import Graph
from headway.package.parity import check_parity
from headway.runtime.archive import MANIFEST, MAX_RATIO, MODEL, REFERENCE, SUFFIX
from headway.runtime.feeds import Cells
from headway.runtime.generation import load_generator
from headway.runtime.history.storing import FILE as HISTORY
from headway.runtime.image_generation import load_image_generator
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import to_json
from headway.runtime.model import load

CARD = "card.md"
# Bytes that tell how content shrinks, and the share of them from which on it is left as it is.
_SAMPLE, _DENSE = 2**20, 0.8
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "pillow", "tokenizers")


def write_package(
    folder: Path,
    graph: Graph,
    manifest: Manifest,
    *,
    card: str,
    columns: Mapping[str, Cells],
    expected: np.ndarray,
    reference: bytes | None = None,
    history: bytes | None = None,
) -> Path:
    """Write `graph` as the package `folder` and, beside it, as `<manifest.name>.headway`; return `folder`.

    `manifest` says what only the caller knows; its feeds, files, libraries, and (where empty) its time are filled in
    here. `reference` is what later rows are compared with to see drift (`headway.evaluation.drift`), `history` the rows
    of the past that `manifest.history` speaks of (`headway.runtime.history`). `columns` and `expected` are rows and
    what the trained model answered for them (see `check_parity`): a graph that disagrees raises `ParityError` and
    nothing is written. An older package in the same place is replaced at once; a killed write leaves
    only names that start with a dot, which the next write removes.
    """
    check_parity(graph, columns, expected)
    own = {MODEL: graph.onnx, CARD: card.encode("utf-8", "replace")}
    if reference is not None:
        own[REFERENCE] = reference
    if history is not None:
        own[HISTORY] = history
    files = {**own, **graph.files}
    if len(files) != len(own) + len(graph.files):
        raise PackageError("a file of the graph has a reserved name", got=", ".join(graph.files))
    return _write(folder, replace(manifest, feeds=graph.feeds), files, load)


def write_generator(folder: Path, onnx: bytes, tokenizer: bytes, manifest: Manifest, *, card: str) -> Path:
    """Write a decoder and its tokenizer as a package that writes text; return `folder`.

    As `write_package`, but the caller has proven the decoder (`headway.decoders.packaging` does). The manifest has the
    task generate and says how in its `generation`.
    """
    assert manifest.generation is not None
    files = {MODEL: onnx, CARD: card.encode("utf-8", "replace"), manifest.generation.tokenizer: tokenizer}
    return _write(folder, manifest, files, lambda path: load_generator(path, slots=1))


def write_image_generator(folder: Path, onnx: bytes, manifest: Manifest, *, card: str) -> Path:
    """Write the graph of a generator as a package that draws pictures; return `folder`.

    As `write_package`, but the caller has proven the graph. The manifest has the task generate and says how in its
    `image_generation`.
    """
    assert manifest.image_generation is not None
    files = {MODEL: onnx, CARD: card.encode("utf-8", "replace")}
    return _write(folder, manifest, files, load_image_generator)


def _write(folder: Path, manifest: Manifest, files: Mapping[str, bytes], prove: Callable[[Path], object]) -> Path:
    """Write the files with their manifest, as a folder and as one file, each opened once by `prove`."""
    content = {**files, MANIFEST: to_json(_complete(manifest, files)).encode()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    archive = archive_path(folder, manifest.name)
    _clean(folder, archive)
    partial, packed = _partial(folder), _partial(archive)
    try:
        write_files(partial, content)
        prove(partial)
        _write_archive(packed, content)
        prove(packed)
    except BaseException:
        _clean(folder, archive)  # on a full disk nothing else could be written beside what is half done
        raise
    _move(partial, folder)
    packed.replace(archive)
    return folder


def archive_path(folder: Path, name: str) -> Path:
    """Return where the one-file form of the package `folder` with this name lies."""
    return folder.parent / ((re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model") + SUFFIX)


def _complete(manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest with all that the files and this installation tell."""
    return replace(
        manifest,
        files=digests(files),
        libraries={"headway": __version__, **_versions(), **manifest.libraries},
        created=manifest.created or datetime.now(UTC).isoformat(timespec="seconds"),
    )


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the sha256 of each file, as a manifest lists them."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def _versions() -> dict[str, str]:
    """Return the versions of the libraries that wrote and will run the package."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def write_files(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write the files of a package into a new folder."""
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _write_archive(path: Path, content: Mapping[str, bytes]) -> None:
    """Write the files as a zip that is the same for the same content.

    Weights hardly shrink further at higher levels, which take six times as long (100 MB of a multilingual encoder: to
    .44 in 2.3 s at level 1, to .41 in 13.8 s at level 6). Those of 8 bits shrink by a sixth, which is not worth the
    time: they are stored as they are. So are tables full of zeros, which shrink so much that a reader would suspect a
    zip bomb.
    """
    stored = {name for name, data in content.items() if len(data) > 2 * _SAMPLE and _is_dense(data)}
    while True:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                member.external_attr = 0o100644 << 16
                kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
                archive.writestr(member, data, compress_type=kind, compresslevel=1)
            written = archive.infolist()
        suspect = {each.filename for each in written if each.file_size > each.compress_size * MAX_RATIO / 4}
        if suspect <= stored:
            return
        stored |= suspect


def _is_dense(data: bytes) -> bool:
    """Tell whether a zip of large content would hardly be smaller, by a part from its middle."""
    middle = data[len(data) // 2 :][:_SAMPLE]
    return len(zlib.compress(middle, 1)) > _DENSE * len(middle)


def _partial(path: Path) -> Path:
    """Return the name under which `path` is written until it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _clean(folder: Path, archive: Path) -> None:
    """Remove what killed writes of this package left behind; refuse a place that holds something else."""
    if folder.exists() and not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise PackageError(
            "the place for the package holds something else", where=str(folder), fix="name another folder"
        )
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    for left in folder.parent.glob(f".{glob.escape(archive.name)}.*.partial"):
        left.unlink(missing_ok=True)


def _move(partial: Path, folder: Path) -> None:
    """Put the new folder in the old one's place."""
    old = _partial(folder).with_suffix(".old.partial")
    if folder.exists():
        folder.replace(old)
    partial.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
