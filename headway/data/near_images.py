"""Near duplicates among images: a difference hash finds candidates, small grey copies decide."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from headway.data.near_texts import distinct_pairs, pairs_in_buckets

_SIDE = 32
_PART = 20_000
_THREADS = 2
_CROWD = 30
# Of the 64 bits of the difference hash so many may differ before the small copies are not even compared.
_MOST_BITS = 10
# Two pictures are nearly the same when their small grey copies differ by less than this, of 255, on average,
_DIFFERENCE = 3.0
# and by less than this share of their own contrast (so that two nearly empty pictures are not mistaken).
_CONTRAST = 0.06


def find_near_images(images: Sequence[str | bytes | None]) -> np.ndarray:
    """Return `[k, 2]` int64: pairs of positions whose pictures are nearly the same.

    Found are re-encoded, resized and slightly brightened copies; not found are cropped or turned ones.
    """
    known = np.array([position for position, image in enumerate(images) if image is not None], np.int64)
    if len(known) < 2:
        return np.empty((0, 2), np.int64)
    with ThreadPoolExecutor(_THREADS) as pool:
        small = np.stack(list(pool.map(_small_copy, [images[i] for i in known.tolist()], chunksize=64)))
    bits = _difference_bits(small)
    pairs = distinct_pairs([pairs_in_buckets(band, crowd=_CROWD) for band in bits.T], len(bits))
    apart = np.bitwise_count(bits[pairs[:, 0]] ^ bits[pairs[:, 1]]).sum(axis=1)
    pairs = pairs[apart <= _MOST_BITS]
    return np.asarray(known[pairs[_are_alike(small, pairs)]], np.int64)


def _small_copy(image: str | bytes | None) -> np.ndarray:
    """Return the picture in grey, `[32, 32]` uint8."""
    from PIL import Image, ImageOps

    source = io.BytesIO(image) if isinstance(image, bytes) else image
    assert source is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(source) as opened:
            opened.draft("L", (4 * _SIDE, 4 * _SIDE))
            upright = ImageOps.exif_transpose(opened)
            grey = upright.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
            return np.asarray(grey, np.uint8)


def _difference_bits(small: np.ndarray) -> np.ndarray:
    """Return `[n, 4]` uint16: whether each of 8 x 8 fields is brighter than its right neighbour, in four bands.

    The bits are dealt to the bands in turn, so that an empty corner does not fill a band of its own.
    """
    fields = small.reshape(len(small), 8, _SIDE // 8, _SIDE).mean(axis=2)
    columns = fields[:, :, : _SIDE - _SIDE % 9].reshape(len(small), 8, 9, -1).mean(axis=3)
    brighter = columns[:, :, :-1] > columns[:, :, 1:]
    dealt = brighter.reshape(len(small), 16, 4).transpose(0, 2, 1)
    return np.packbits(dealt.reshape(len(small), 64), axis=1).view(np.uint16)


def _are_alike(small: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return `[k]` bool."""
    most = np.minimum(_DIFFERENCE, _CONTRAST * small.std(axis=(1, 2)))
    # The difference of coarse fields is never above that of the pixels, and cheaper by far.
    step = _SIDE // 8
    coarse = small.reshape(len(small), 8, step, 8, step).mean(axis=(2, 4)).astype(np.float32)
    likely = np.flatnonzero(_differ_less(coarse, pairs, most))
    alike = np.zeros(len(pairs), dtype=bool)
    alike[likely] = _differ_less(small, pairs[likely], most)
    return alike


def _differ_less(values: np.ndarray, pairs: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Tell for every pair whether its mean absolute difference is below the `most` of both of its members."""
    less = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), _PART):
        left, right = pairs[start : start + _PART].T
        difference = np.abs(values[left].astype(np.float32) - values[right]).mean(axis=(1, 2))
        less[start : start + _PART] = difference < np.minimum(most[left], most[right])
    return less
