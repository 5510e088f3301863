"""What a run that draws can draw so far, as one picture in its folder: a row for each look, from the same noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from headway.compute.drafts import whole_file
from headway.runtime.image_generation import GAP, PAPER, as_grid, as_image

GROWING = "growing.png"
ACROSS = 10


def keep_growing(folder: Path, tell: Callable[[str], None]) -> Callable[[np.ndarray], None]:
    """Return what adds a row of the pictures of a look (uint8 `[n, height, width, colours]`); it `tell`s of it once.

    A run that was killed goes on below the rows that it has.
    """
    path, rows = folder / GROWING, list[np.ndarray]()

    def add(pictures: np.ndarray) -> None:
        from headway.models.gan.training import SHOWN

        shown = pictures[:SHOWN]
        chosen = np.linspace(0, len(shown) - 1, min(ACROSS, len(shown))).round().astype(int)
        row = as_grid(shown[chosen], columns=len(chosen))
        if not rows:
            rows.extend(_read_rows(path, row.shape))
            tell(f"{GROWING} in the run's folder grows by a row of pictures whenever they are looked at")
        # What a resumed run draws once more stands there already.
        if not any(np.array_equal(row, other) for other in rows):
            rows.append(row)
            _write(path, rows)

    return add


def _read_rows(path: Path, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return the rows of an earlier attempt, none where there is no such picture."""
    from PIL import Image

    if not path.exists():
        return []
    height, width, colours = shape
    with Image.open(path) as image:
        paper = np.asarray(image).reshape(image.height, image.width, -1)
    if paper.shape[1:] != (width, colours):
        return []
    return [paper[top : top + height] for top in range(0, len(paper) - height + 1, height + GAP)]


def _write(path: Path, rows: list[np.ndarray]) -> None:
    """Write rows below each other, as a whole or not at all; a full disk costs the picture, not the training."""
    gap = np.full((GAP, *rows[0].shape[1:]), PAPER, np.uint8)
    parts = [part for row in rows for part in (row, gap)][:-1]
    try:
        with whole_file(path) as draft:
            as_image(np.concatenate(parts)).save(draft)
    except OSError:
        return
