"""Vectors that are costly to compute, kept on disk under the digest of what they were computed from.

One folder is one shelf: vectors of one width, made in one way (by the same graph). It holds files that are written as
a whole and never changed, so that any number of runs may read and add at the same time; they are memory-mapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headway.compute.drafts import whole_file

KEY_BYTES = 16


def digest_of(content: bytes) -> bytes:
    """Return the key, 16 bytes, under which what is made from `content` is kept."""
    return hashlib.blake2b(content, digest_size=KEY_BYTES).digest()


class VectorShelf:
    """Float32 vectors of one width under keys of 16 bytes."""

    def __init__(self, folder: Path, width: int) -> None:
        """Keep everything under `folder`, which is made on the first write."""
        self.folder = folder
        self.kind = np.dtype([("key", f"V{KEY_BYTES}"), ("vector", np.float32, (width,))])
        self._parts: dict[str, np.ndarray] = {}
        self._places: dict[bytes, tuple[str, int]] = {}

    def find(self, keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return `[n, width]` vectors, zeros where there is none, and `[n]` booleans: which are there."""
        self._look()
        vectors = np.zeros((len(keys), *self.kind["vector"].shape), np.float32)
        known = np.zeros(len(keys), np.bool_)
        for row, key in enumerate(keys):
            place = self._places.get(key)
            if place is not None:
                vectors[row] = self._parts[place[0]][place[1]]["vector"]
                known[row] = True
        return vectors, known

    def add(self, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        """Keep `[n, width]` vectors, all or none of them."""
        if not keys:
            return
        part = np.empty(len(keys), self.kind)
        part["key"] = np.frombuffer(b"".join(keys), f"V{KEY_BYTES}")
        part["vector"] = vectors
        self.folder.mkdir(parents=True, exist_ok=True)
        # The same rows again give the same file.
        with whole_file(self.folder / f"{digest_of(b''.join(keys)).hex()}.npy") as draft:
            np.save(draft, part)

    def _look(self) -> None:
        """Open the files that were not there when last looked."""
        for path in sorted(self.folder.glob("[!.]*.npy")):
            if path.name in self._parts:
                continue
            part = self._open(path)
            self._parts[path.name] = part
            for row, key in enumerate(part["key"]):
                self._places[key.tobytes()] = (path.name, row)

    def _open(self, path: Path) -> np.ndarray:
        """Return a file's content; nothing where it is damaged, so that its vectors are computed again."""
        try:
            part: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return np.empty(0, self.kind)
        return part if part.dtype == self.kind else np.empty(0, self.kind)
