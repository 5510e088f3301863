"""At which size and in which mode the images of a column are read."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from headway.errors import DataError
from headway.runtime.manifest import ImageFeed

# Images up to this many pixels on the longer side are read as they are.
NATIVE = 64
SAMPLE = 64
# Channels that differ by less than this on average (of 255) are a grey image saved in colour; JPEG blurs colour a bit.
GREY = 3.0


@dataclass(frozen=True)
class Frame:
    """The size in pixels and the mode all images of a column are brought to."""

    width: int
    height: int
    mode: Literal["L", "RGB"]

    def feed(self, column: str) -> ImageFeed:
        """Return the feed that reads `column` so."""
        name = f"image:{column}:{self.width}x{self.height}:{self.mode}"
        return ImageFeed(name, (column,), self.width, self.height, self.mode)

    @property
    def settings(self) -> dict[str, int | str]:
        """Return the parts by name; `frame_from` reads them back."""
        return {"width": self.width, "height": self.height, "mode": self.mode}


def frame_from(settings: Mapping[str, object] | None) -> Frame | None:
    """Return the frame that an earlier fit wrote into its settings, or None."""
    if settings is None or not {"width", "height", "mode"} <= settings.keys():
        return None
    mode: Literal["L", "RGB"] = "L" if settings["mode"] == "L" else "RGB"
    return Frame(int(str(settings["width"])), int(str(settings["height"])), mode)


def frame_for(cells: Sequence[object], *, longest: int) -> Frame:
    """Choose a frame from a sample of `cells` (paths or bytes, None where missing).

    Images that are small already keep their (median) size; others are scaled so that the longer side is `longest`
    pixels. Raises `DataError` where no image of the sample can be read.
    """
    given = [cell for cell in cells if isinstance(cell, str | bytes) and cell]
    step = max(1, len(given) // SAMPLE)
    looks = [look for look in map(_looked_at, given[::step]) if look is not None]
    if not looks:
        raise DataError("no image could be read", expected="paths or bytes of images", fix="check the image column")
    width, height = (float(np.median([look[side] for look in looks])) for side in (0, 1))
    scale = min(1.0, longest / max(width, height)) if max(width, height) > NATIVE else 1.0
    mode: Literal["L", "RGB"] = "L" if np.mean([look[2] for look in looks]) > 0.95 else "RGB"
    return Frame(max(1, round(width * scale)), max(1, round(height * scale)), mode)


def _looked_at(cell: str | bytes) -> tuple[int, int, bool] | None:
    """Return width, height and whether it is grey, or None where it cannot be read."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(cell) if isinstance(cell, bytes) else Path(cell)) as image:
            upright = ImageOps.exif_transpose(image)
            size = upright.size
            upright.thumbnail((64, 64))
            colours = np.asarray(upright.convert("RGB"), dtype=np.int16)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    spread = colours.max(axis=2) - colours.min(axis=2)
    return size[0], size[1], bool(spread.mean() < GREY)
