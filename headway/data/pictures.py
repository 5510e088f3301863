"""Pictures to learn to draw from: a folder of them, one folder per class, or a table that names them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import polars as pl

from headway.data.cleaning import Cleaned, clean, clean_rows
from headway.data.dataset import ROW, Column, Dataset, Table
from headway.data.inference import Guess, Inference, check_columns
from headway.data.keys import input_keys
from headway.data.reading import join_parts, read
from headway.data.sources.images import IMAGE_SUFFIXES, find_images, read_unlabelled_images
from headway.errors import DataError
from headway.project.schema import Cleaning, Reading

# The columns of a folder of pictures; pictures of one kind all stand under KIND.
IMAGE, LABEL, KIND = "image", "label", "picture"
# Fewer pictures cannot be divided into those to learn from and those to judge by.
LEAST = 40


def holds_pictures(source: str, folder: Path) -> bool:
    """Tell whether a source is a picture, a folder, an archive or a pattern of nothing but pictures."""
    name, _, member = source.partition("!")
    path = folder / name
    if "://" in source:
        return False
    if path.is_dir():
        return bool(find_images(path / member if member else path))
    if path.suffix.lower() == ".zip" and path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [inner for inner in archive.namelist() if not inner.endswith("/")]
        return bool(names) and all(PurePath(inner).suffix.lower() in IMAGE_SUFFIXES for inner in names)
    return PurePath(name).suffix.lower() in IMAGE_SUFFIXES


def read_pictures(
    source: str,
    *,
    folder: Path,
    reading: Reading,
    cache: Path | None,
    max_rejected: float,
    memory: float | None = None,
    inputs: Mapping[str, str] | None = None,
    target: str | None = None,
) -> Table:
    """Read pictures as a table of their column and that of their class, which is KIND where there is none.

    Raises `DataError` where nothing can be read, or for fewer than 40 pictures.
    """
    part = read_unlabelled_images(folder / source)
    if part is not None:
        table = join_parts([part], reading)
    else:
        table = read(source, folder=folder, reading=reading, cache=cache, max_rejected=max_rejected, memory=memory)
    image = next(iter(inputs or {IMAGE: ""}))
    check_columns(table.rows.columns, [image, *([] if target is None else [target])], where="inputs")
    label = target or (LABEL if LABEL in table.rows.columns and image == IMAGE else None)
    classes = pl.lit(KIND) if label is None else pl.col(label)
    rows = table.rows.select(ROW, pl.col(image), classes.alias(label or LABEL))
    if rows.height < LEAST:
        raise too_few(rows.height, source)
    return replace(table, rows=rows)


def too_few(count: int, where: str) -> DataError:
    """Return the error for so few pictures that nothing can be learnt from them."""
    return DataError(
        "there are too few pictures to learn to draw from",
        where=where,
        expected=f"at least {LEAST}, hundreds for each class to draw well",
        got=f"{count} that can be read",
        fix="add pictures, or take a package that draws already",
    )


def infer_pictures(table: Table) -> Inference:
    """Return what the columns are: a picture, and perhaps its class."""
    image = table.rows.columns[1]
    guess = Guess(image, "image", "what is to be drawn", use=True)
    return Inference((Column(image, "image"),), "classify", (), (guess,))


def clean_pictures(table: Table, cleaning: Cleaning, *, test: Table | None = None) -> Cleaned:
    """Clean as for telling classes apart: repeated pictures are dropped, near repetitions share a part.

    Pictures of one kind have no labels, and 0 for each in `y`. Raises `DataError` where too few are left.
    """
    image, label = table.rows.columns[1:]
    inputs = (Column(image, "image"),)
    if table.rows[label].drop_nulls().n_unique() > 1:
        cleaned = clean(table, target=label, inputs=inputs, task="classify", cleaning=cleaning, test=test)
    else:
        cleaned = _clean_one_kind(table, inputs, label, cleaning, test)
    if len(cleaned.train) < LEAST:
        raise too_few(len(cleaned.train), f"column {image}, after cleaning")
    return cleaned


def _clean_one_kind(
    table: Table, inputs: tuple[Column, ...], label: str, cleaning: Cleaning, test: Table | None
) -> Cleaned:
    """Clean pictures without classes: typed beside a number each, which tells nothing, and then as equals."""
    typing = cleaning.model_copy(update={"duplicates": "off", "near_duplicates": "off"})
    held = None if test is None else _numbered(test, label)
    typed = clean(_numbered(table, label), target=label, inputs=inputs, task="regress", cleaning=typing, test=held)
    equals = _of_one_kind(typed.train)
    kept, findings = clean_rows(equals, input_keys(equals.rows, inputs), cleaning)
    held_out = None if typed.test is None else _of_one_kind(typed.test)
    return replace(typed, train=kept, test=held_out, findings=(*findings, *typed.findings))


def _numbered(table: Table, label: str) -> Table:
    return replace(table, rows=table.rows.with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias(label)))


def _of_one_kind(dataset: Dataset) -> Dataset:
    return replace(dataset, task="classify", labels=(), y=np.zeros(len(dataset), np.int64))
