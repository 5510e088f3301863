"""The pictures of `headway generate`: one grid, or one file each."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headway.cli.messages import Language, say

if TYPE_CHECKING:
    import numpy as np

GRID = "grid.png"


def draw(
    package: Path,
    *,
    count: int,
    label: str | None,
    seed: int | None,
    out: Path | None,
    language: Language,
) -> None:
    """Draw pictures into a grid (`out` ends with .png, `grid.png` without) or into a folder, one PNG file each."""
    from headway.cli.places import find_package
    from headway.runtime import load_image_generator

    generator = load_image_generator(find_package(package))
    began = time.monotonic()
    pictures = generator.generate(count, label=label, seed=seed)
    rate = count / max(time.monotonic() - began, 1e-9)
    place = out or Path(GRID)
    (_write_grid if place.suffix.lower() == ".png" else _write_each)(place, pictures)
    words = say("generate:drawn", language).format(path=place, count=f"{count:,}", rate=f"{rate:,.0f}")
    typer.echo(words, err=True)


def _write_grid(path: Path, pictures: np.ndarray) -> None:
    """Write all pictures side by side into one file, all or nothing."""
    from headway.compute.drafts import whole_file
    from headway.runtime.image_generation import as_grid, as_image

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        as_image(as_grid(pictures)).save(draft)


def _write_each(folder: Path, pictures: np.ndarray) -> None:
    """Write each picture into a file of its own."""
    from headway.runtime.image_generation import as_image

    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, 1):
        as_image(picture).save(folder / f"{number:05d}.png")
