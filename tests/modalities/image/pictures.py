"""Small pictures made on the spot."""

import io

import numpy as np
import polars as pl
from PIL import Image

from headway.data.dataset import Column
from headway.models.family import Examples


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def bars(rows, *, size=12, seed=0, columns=("picture",)):
    """Return pictures with a bright bar (horizontal or vertical, the label) at a random place, in colour."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, rows)
    frame = {name: [png(_bar(label, size, generator)) for label in y] for name in columns}
    inputs = tuple(Column(name, "image") for name in columns)
    return Examples(pl.DataFrame(frame), inputs, y.astype(np.int64))


def _bar(label, size, generator):
    pixels = generator.integers(0, 60, (size, size, 3)).astype(np.uint8)
    place = generator.integers(2, size - 3)
    rows = pixels if label else pixels.transpose(1, 0, 2)
    rows[place : place + 2, :, 0] = 230
    return pixels
