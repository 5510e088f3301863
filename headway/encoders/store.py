"""Vectors of texts that were computed once: kept on disk, mapped into memory, shared by runs.

One folder per key (base, precision, reading). A chunk is two files, `<name>.rows.npy` (float32 `[n, width]`) and then
`<name>.keys.npy` (uint64 `[n, 2]`, of the text's digest): a chunk without its keys does not count. Files are written
under another name and renamed, and never changed, so that several processes may add to one folder at once.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from headway.compute.drafts import whole_file


class Store(Protocol):
    """Where vectors are kept."""

    def get(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which of `keys` (uint64 `[n, 2]`) are here, bool `[n]`, and the vectors of these in their order."""

    def add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Keep the vectors of some keys."""


def text_keys(texts: Sequence[str]) -> np.ndarray:
    """Return uint64 `[n, 2]`, 128 bits of each text's BLAKE2 digest."""
    digests = b"".join(hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts)
    return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)


def open_store(folder: Path | None, key: str) -> Store:
    """Return the store of `key` below `folder`, or one in this process's memory where `folder` is None."""
    return _Memory.of(key) if folder is None else DiskStore(folder / "features" / key)


class _Memory:
    """Vectors in memory; the same ones for everybody in this process."""

    def __init__(self) -> None:
        """Begin empty."""
        self.known: dict[tuple[int, int], np.ndarray] = {}

    @staticmethod
    @lru_cache(maxsize=4)
    def of(key: str) -> _Memory:  # noqa: ARG004 - the cache goes by it
        """Return the memory of a key."""
        return _Memory()

    def get(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which keys are known, and their vectors."""
        rows = [self.known.get((first, second)) for first, second in keys.tolist()]
        found = [row for row in rows if row is not None]
        return np.array([row is not None for row in rows], bool), np.array(found, np.float32)

    def add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Keep vectors."""
        self.known.update(((first, second), row) for (first, second), row in zip(keys.tolist(), rows, strict=True))


class DiskStore:
    """Vectors in the chunks of a folder; a chunk that cannot be read counts as absent."""

    def __init__(self, folder: Path) -> None:
        """Look into `folder`, which is made on the first write."""
        self.folder = folder

    def get(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which keys are on disk, and their vectors."""
        where = np.full(len(keys), -1)
        place = np.zeros(len(keys), np.int64)
        chunks: list[np.ndarray] = []
        for path in sorted(self.folder.glob("*.keys.npy")) if len(keys) else ():
            chunk = _read(path)
            if chunk is None or not len(chunk[0]):
                continue
            own, rows = chunk
            order = np.argsort(own[:, 0], kind="stable")
            near = np.minimum(np.searchsorted(own[order, 0], keys[:, 0]), len(own) - 1)
            here = (own[order[near]] == keys).all(axis=1) & (where < 0)
            where[here], place[here] = len(chunks), order[near[here]]
            chunks.append(rows)
        found = np.flatnonzero(where >= 0)
        width = chunks[0].shape[1] if chunks else 0
        vectors = np.empty((len(found), width), np.float32)
        for number, rows in enumerate(chunks):
            mine = where[found] == number
            vectors[mine] = rows[place[found[mine]]]
        return where >= 0, vectors

    def add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Write one chunk, its keys last."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        for part, array in (("rows", np.asarray(rows, np.float32)), ("keys", keys)):
            with whole_file(self.folder / f"{name}.{part}.npy") as draft, draft.open("wb") as file:
                np.save(file, array)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Return keys and (mapped) vectors of a chunk, None where it is damaged or gone."""
    try:
        keys = np.load(path)
        rows = np.load(path.with_name(path.name.replace(".keys.", ".rows.")), mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return (keys, rows) if len(keys) == len(rows) and keys.ndim == rows.ndim == 2 else None
