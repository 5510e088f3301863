"""Tiny pictures whose class is where a bright bar stands."""

import io

import numpy as np
import polars as pl
from PIL import Image

from headway.data.dataset import Column
from headway.models.family import Examples, Support


def bars(rows=96, classes=3, side=8, colours=1, seed=0):
    """Return uint8 `[rows, side, side, colours]` and int64 labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    pixels = random.integers(0, 60, (rows, side, side, colours)).astype(np.uint8)
    for row, label in enumerate(labels):
        pixels[row, :, 1 + 2 * label] = random.integers(180, 255)
    return pixels, labels


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()


def examples(rows=96, scratch=None, **options):
    pixels, labels = bars(rows, **options)
    frame = pl.DataFrame({"image": pl.Series([png(each) for each in pixels], dtype=pl.Binary)})
    return Examples(frame, (Column("image", "image"),), labels, support=Support(scratch=scratch))
