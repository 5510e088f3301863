"""Folders of images, and image files named in a table."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.sources.part import Part, Reject
from headway.errors import DataError

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"))
# Larger pictures are refused before they are decoded (Pillow's own limit is only a warning).
MOST_PIXELS = 200_000_000
_THREADS = 2


def read_image_folder(folder: Path) -> Part:
    """Read a folder that holds one folder of images per class: columns `image` (absolute path) and `label`.

    Images that cannot be decoded are rejected. Raises DataError when there are no class folders, or when the
    first level is parts (Training, Testing) that share class names.
    """
    root = _descend(folder)
    classes = [child for child in sorted(root.iterdir()) if child.is_dir() and not _is_hidden(child)]
    classes = [child for child in classes if find_images(child)]
    if not classes:
        raise DataError(
            "no folder with images found",
            where=str(folder),
            expected="one folder per class, with images in it",
            fix="or name a table with a column of image paths",
        )
    _refuse_parts(folder, classes)
    found = [(image, child.name) for child in classes for image in find_images(child)]
    return image_part(str(folder), [image for image, _ in found], [label for _, label in found])


def read_unlabelled_images(path: Path) -> Part | None:
    """Read one image, or a folder of nothing but images: column `image` alone. None where `path` is anything else."""
    if path.is_dir():
        children = [child for child in sorted(path.iterdir()) if not _is_hidden(child)]
        found = [child for child in children if child.suffix.lower() in IMAGE_SUFFIXES]
        if not found or any(child.is_dir() for child in children):
            return None
    elif path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        found = [path]
    else:
        return None
    part = image_part(str(path), found, [""] * len(found))
    return replace(part, frame=part.frame.select("image"))


def image_part(file: str, paths: Sequence[Path], labels: Sequence[str]) -> Part:
    """Return the images that can be decoded, with their labels."""
    faults = find_faults(paths)
    good = [position for position, fault in enumerate(faults) if fault is None]
    rejected = tuple(
        Reject(str(path), number, "image", fault, str(path))
        for number, (path, fault) in enumerate(zip(paths, faults, strict=True), 1)
        if fault is not None
    )
    frame = pl.DataFrame(
        {"image": [str(paths[i].absolute()) for i in good], "label": [labels[i] for i in good]},
        schema={"image": pl.String, "label": pl.String},
    )
    return Part(file, frame, np.array(good, np.int64) + 1, rejected, len(paths))


def resolve_image_columns(part: Part, folder: Path) -> Part:
    """Make the paths of image columns absolute, starting at `folder`; reject the rows whose image is unreadable.

    An image column is a String column whose first values all end like image files and mostly exist.
    """
    for name in part.frame.columns:
        if _is_image_column(part.frame[name], folder):
            part = _resolve(part, name, folder)
    return part


def find_images(folder: Path) -> list[Path]:
    """Return all image files below `folder`, sorted by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and not _is_hidden(path))


def find_faults(paths: Sequence[Path]) -> list[str | None]:
    """Return for every path why it is no readable image, or None when it is one."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(find_fault, paths, chunksize=64))


def find_fault(path: Path) -> str | None:
    """Return why `path` is no readable image, or None."""
    import warnings

    from PIL import Image

    try:
        if path.stat().st_size == 0:
            return "an empty file of 0 bytes"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    return f"{image.width} x {image.height} pixels are more than {MOST_PIXELS:,}"
                # JPEG can decode a small version: fast, and a cut-off file still shows.
                image.draft("RGB", (64, 64))
                image.load()
    except FileNotFoundError:
        return "no such file"
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise whatever the damage leads to
        return f"cannot be decoded: {error}".replace(str(path), path.name)[:200]
    return None


def _descend(folder: Path) -> Path:
    """Skip folders that hold nothing but one other folder."""
    while True:
        children = [child for child in folder.iterdir() if not _is_hidden(child)]
        inner = [child for child in children if child.is_dir()]
        if len(inner) != 1 or any(child.suffix.lower() in IMAGE_SUFFIXES for child in children):
            return folder
        if not any(child.is_dir() for child in inner[0].iterdir()):
            return folder
        folder = inner[0]


def _refuse_parts(folder: Path, classes: list[Path]) -> None:
    inner = [{child.name for child in part.iterdir() if child.is_dir()} for part in classes]
    if len(classes) > 1 and inner[0] and len(set.intersection(*inner)) > 1:
        names = ", ".join(part.name for part in classes)
        raise DataError(
            "the folder holds several parts with the same classes",
            where=str(folder),
            expected="one folder per class",
            got=f"parts {names}",
            fix=f"name one, such as {classes[0]}, and give another one as test:",
        )


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or "__MACOSX" in path.parts


def _is_image_column(series: pl.Series, folder: Path) -> bool:
    if series.dtype != pl.String:
        return False
    sample = series.drop_nulls().head(50).to_list()
    if not sample or any(Path(value).suffix.lower() not in IMAGE_SUFFIXES for value in sample):
        return False
    exist = sum(1 for value in sample if (folder / value).is_file())
    return exist * 2 > len(sample)


def _resolve(part: Part, name: str, folder: Path) -> Part:
    values = part.frame[name].to_list()
    paths = [None if value is None else (folder / value).absolute() for value in values]
    known = [path for path in paths if path is not None]
    faults = dict(zip(known, find_faults(known), strict=True))
    reasons = [None if path is None else faults[path] for path in paths]
    rejected = tuple(
        Reject(part.file, int(record), name, reason, value)
        for record, reason, value in zip(part.records, reasons, values, strict=True)
        if reason is not None
    )
    keep = np.array([reason is None for reason in reasons], dtype=bool)
    column = pl.Series(name, [None if path is None else str(path) for path in paths], pl.String)
    frame = part.frame.with_columns(column).filter(pl.Series(keep))
    return Part(part.file, frame, part.records[keep], (*part.rejected, *rejected), part.read, part.first)
