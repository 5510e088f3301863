"""Image cells as pixels."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.runtime.feeds.cells import BadCellError, Cells, column, is_missing, listed
from headway.runtime.manifest import ImageFeed

if TYPE_CHECKING:
    from PIL import Image

# Formats that are plain pictures; Pillow's others include some that start programs (EPS). A camera's MPO opens as JPEG.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 64_000_000
_EXPECTED = "a PNG, JPEG, BMP, GIF, WebP, TIFF or PPM image, as a path, bytes, a Pillow image or a uint8 array"


def encode(feed: ImageFeed, columns: Mapping[str, Cells], *, strict: bool = True) -> dict[str, np.ndarray]:
    """Return `{feed.name: uint8 [rows, height, width, channels]}`; a missing image is black.

    Transparent parts are laid on white, 16-bit greys keep their upper 8 bits, an animation gives its first picture.
    Images above 64 megapixels, unreadable and truncated ones raise `InputError`, or are black where `strict` is off.
    """
    name = feed.columns[0]
    cells = column(columns, name)
    pixels = np.zeros((len(cells), feed.height, feed.width, 1 if feed.mode == "L" else 3), dtype=np.uint8)
    if isinstance(cells, np.ndarray) and cells.dtype == np.uint8 and _fits(cells.shape, pixels.shape):
        return {feed.name: np.ascontiguousarray(cells).reshape(pixels.shape)}
    values = list(cells) if isinstance(cells, np.ndarray) else listed(cells)

    def fill(row: int) -> None:
        try:
            if not is_missing(values[row]) and not _is_empty(values[row]):
                pixels[row] = _pixels(values[row], feed)
        except (OSError, ValueError, Warning) as error:
            if strict:
                got = f"{str(error)[:80]} ({type(values[row]).__name__})"
                raise BadCellError(row, name, expected=_EXPECTED, got=got) from error

    _each(fill, len(values))
    return {feed.name: pixels}


def _fits(given: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Tell whether an array holds images of the wanted size already, one grey channel being optional."""
    return given == wanted or (wanted[-1] == 1 and given == wanted[:-1])


def _each(fill: Callable[[int], None], rows: int) -> None:
    """Call `fill` for every row; Pillow decodes outside Python's lock, so threads pay for many rows."""
    if rows < 8:
        for row in range(rows):
            fill(row)
        return
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(fill, range(rows)))


def _is_empty(value: object) -> bool:
    """Tell whether a cell is an empty path or no bytes, which is how data frames write a missing image."""
    return isinstance(value, str | bytes) and not value


def _pixels(value: object, feed: ImageFeed) -> np.ndarray:
    """Return one image as uint8 `[height, width, channels]`; raises OSError or ValueError."""
    from PIL import Image, ImageOps

    with _opened(value) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are too many")
        if image.format == "JPEG":  # decoded at a smaller scale right away where that keeps twice the size asked
            image.draft(feed.mode, (feed.width * 2, feed.height * 2))
        try:
            upright = _flat(ImageOps.exif_transpose(image)).convert(feed.mode)
        except (SyntaxError, EOFError, IndexError, KeyError, TypeError, AttributeError, MemoryError) as error:
            raise ValueError(f"the image is damaged: {error}") from error
    if upright.size != (feed.width, feed.height):
        upright = upright.resize((feed.width, feed.height), Image.Resampling.BILINEAR)
    return np.asarray(upright, dtype=np.uint8).reshape(feed.height, feed.width, -1)


def _opened(value: object) -> Image.Image:
    """Return the cell as a Pillow image, not yet decoded."""
    from PIL import Image

    if isinstance(value, Image.Image):
        return value.copy()
    if isinstance(value, np.ndarray):
        return _from_array(value)
    if isinstance(value, str | Path | bytes | bytearray | memoryview):
        source = value if isinstance(value, str | Path) else io.BytesIO(value)
        try:
            return Image.open(source, formats=FORMATS)
        except (Image.DecompressionBombError, SyntaxError, EOFError, IndexError, KeyError, TypeError) as error:
            raise ValueError(str(error)) from error
    raise ValueError(f"an object of type {type(value).__name__}")


def _from_array(values: np.ndarray) -> Image.Image:
    """Return a uint8 `[height, width]` or `[height, width, 1, 3 or 4]` array as an image."""
    from PIL import Image

    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.dtype != np.uint8 or not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] in {3, 4})):
        raise ValueError(f"an array of type {values.dtype} and shape {values.shape}")
    return Image.fromarray(np.ascontiguousarray(values))


def _flat(image: Image.Image) -> Image.Image:
    """Return the image with 8 bits a channel and without transparency."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return image
