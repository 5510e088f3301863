"""Decoded pixels, kept within a run because every candidate and fold reads the same images again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import numpy as np

from headway.runtime.feeds import encode
from headway.runtime.manifest import ImageFeed

KEPT_BYTES = 600_000_000

Key = tuple[str, object]


class DecodedImages:
    """Pixels by feed and cell, up to a number of bytes; images beyond it are decoded each time."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._pixels: dict[Key, np.ndarray] = {}

    def read(self, feed: ImageFeed, cells: Sequence[object]) -> np.ndarray:
        """Return uint8 `[n, height, width, channels]`; missing images are black.

        Raises `InputError` for a cell that is no image.
        """
        keys = [_key(feed, cell) for cell in cells]
        new = [row for row, key in enumerate(keys) if key not in self._pixels]
        column = feed.columns[0]
        fresh = encode(feed, {column: [cells[row] for row in new]}, files={})[feed.name]
        pixels = np.empty((len(keys), *fresh.shape[1:]), dtype=np.uint8)
        pixels[new] = fresh
        known = set(new)
        for row, key in enumerate(keys):
            if row not in known:
                pixels[row] = self._pixels[key]
        for row in new:
            self._keep(keys[row], pixels[row])
        return pixels

    def clear(self) -> None:
        """Forget everything."""
        self._pixels.clear()
        self.size = 0

    def _keep(self, key: Key, pixels: np.ndarray) -> None:
        if key not in self._pixels and self.size + pixels.nbytes <= self.limit:
            self._pixels[key] = pixels.copy()
            self.size += pixels.nbytes


def _key(feed: ImageFeed, cell: object) -> Key:
    """Return what identifies a cell's picture: a file with its time and size, or a hash of its bytes."""
    if isinstance(cell, bytes):
        return feed.name, hashlib.blake2b(cell, digest_size=16).digest()
    if isinstance(cell, str) and cell:
        try:
            found = os.stat(cell)  # noqa: PTH116 - a Path object costs more than the call
        except OSError:
            return feed.name, cell
        return feed.name, (cell, found.st_mtime_ns, found.st_size)
    return feed.name, None


decoded = DecodedImages()
