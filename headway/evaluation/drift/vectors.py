"""Texts and pictures as short vectors of fixed size; the same at packaging and in production."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headway.runtime.feeds import images
from headway.runtime.manifest import ImageFeed

TEXT_SIZE = 512
_MOST_CHARACTERS = 400
_BLOCK = 500
_SIDE = 8
_PIXELS = 32


def text_vectors(texts: Sequence[str]) -> np.ndarray:
    """Return float32 `[rows, 512]`: the logarithm of how often hashed characters and pairs of characters occur."""
    parts = [_count_hashed(texts[start : start + _BLOCK]) for start in range(0, len(texts), _BLOCK)]
    return np.log1p(np.concatenate(parts)) if parts else np.zeros((0, TEXT_SIZE), dtype=np.float32)


def _count_hashed(texts: Sequence[str]) -> np.ndarray:
    """Return how often each hash occurs in each text, float32 `[rows, 512]`."""
    cut = [text[:_MOST_CHARACTERS].lower() for text in texts]
    codes = np.frombuffer("".join(cut).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    rows = np.repeat(np.arange(len(cut)), list(map(len, cut)))
    inside = rows[1:] == rows[:-1]
    pairs = (codes[:-1] * 0x9E3779B1 + codes[1:])[inside]
    hashed = np.concatenate([codes * 0x85EBCA6B, pairs * 0xC2B2AE35 + 7])
    places = np.concatenate([rows, rows[1:][inside]]) * TEXT_SIZE + (((hashed & 0xFFFFFFFF) >> 16) % TEXT_SIZE).astype(
        np.int64
    )
    counts = np.bincount(places, minlength=len(cut) * TEXT_SIZE)
    return counts.reshape(len(cut), TEXT_SIZE).astype(np.float32)


def read_pixels(cells: Sequence[Any]) -> np.ndarray:
    """Return the pictures in small, float32 `[rows, 32, 32]` from 0 to 1; black where one cannot be read."""
    feed = ImageFeed("pixels", ("picture",), _PIXELS, _PIXELS, "L")
    read = images.encode(feed, {"picture": list(cells)}, strict=False)["pixels"]
    return np.asarray(read[..., 0], dtype=np.float32) / 255


def picture_vectors(pixels: np.ndarray) -> np.ndarray:
    """Return float32 `[rows, 64]`: each picture as 8 x 8 means, less its own mean."""
    rows, step = len(pixels), _PIXELS // _SIDE
    small = pixels.reshape(rows, _SIDE, step, _SIDE, step).mean(axis=(2, 4)).reshape(rows, -1)
    return np.asarray(small - small.mean(axis=1, keepdims=True), dtype=np.float32)


def unit(table: np.ndarray) -> np.ndarray:
    """Return the rows with length 1; zeros stay."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.where(norms > 0, norms, 1), dtype=np.float32)
