"""What moves out of the data room: a table that was read, a data set that was cleaned, and how it is split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from headway.runtime.manifest import Label, Target

# The column that numbers every row that was read, in reading order over all files, from 0.
ROW = "__row__"

# How texts to be written hang together. stream: one running text, cut into pieces in order. documents: texts of their
# own, each with an end. answers: a prompt and what is to be written for it; the answer alone is judged.
Form = Literal["stream", "documents", "answers"]

ModalityName = Literal["text", "number", "category", "date", "image", "audio"]


@dataclass(frozen=True)
class Column:
    """One input column and how it is to be understood."""

    name: str
    modality: ModalityName


@dataclass(frozen=True)
class Origin:
    """Where rows came from: the row numbered `first` is record `record` of `file`; the following ones follow it."""

    file: str
    first: int
    record: int


@dataclass(frozen=True)
class Table:
    """Rows as read from the sources, nothing interpreted yet.

    `rows`: first column `ROW` (UInt32, rejected records leave gaps), then the source's columns. `rejected`: one line
    per set-aside line or cell with the columns `file`, `row` (1-based record in that file, the header included, as a
    spreadsheet numbers it), `column`, `reason`, `value` (at most 200 characters). `read`: how many records the sources
    had, the rejected ones included. `origins`: one per file, in reading order. `left_out`: good records that are not in
    `rows` because they would not fit into memory; those that are make a uniform sample.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    read: int
    origins: tuple[Origin, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Finding:
    """Something the profile noticed, for the report and for `headway init`: a stable code, severity and figures."""

    code: str
    severity: Literal["info", "warning", "error"]
    column: str | None
    message: str
    figures: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Clean rows, ready to be learnt from.

    `rows`: `ROW` and the input columns typed by modality (text, category: String; number: Float64; date: Datetime;
    image: String path that exists, absolute, or Binary), missing as null; the column of `split.time` follows them where
    it is not an input. `y`: `[n]`, int64 indices into `labels`, or float32 values for regression. `groups`: `[n]`
    int64; rows of one group must share a fold. `weight`: `[n]` float32 or None. `form` says how texts to be written
    hang together, None for other tasks; their `y` counts the characters of `text`. With several `targets` the task is
    several, `y` float32 `[n, targets]`, class indices or values, NaN where a target is missing, and `target` names all
    of them. `changes`: one line per row that cleaning dropped, set aside, grouped, or re-weighted, with the columns
    `ROW`, `step`, `reason`, `partner` (the `ROW` it was compared with, or null).
    """

    rows: pl.DataFrame
    inputs: tuple[Column, ...]
    target: str
    task: Literal["classify", "regress", "generate", "several"]
    labels: tuple[Label, ...]
    y: np.ndarray
    groups: np.ndarray
    weight: np.ndarray | None
    changes: pl.DataFrame
    form: Form | None = None
    targets: tuple[Target, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows.height


@dataclass(frozen=True)
class Fold:
    """Positions (`[k]` int64, into a Dataset's rows) to train on and to validate on; they never overlap."""

    train: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class Split:
    """Where every row goes: `test` is touched once, by the winner; `train` is the rest; `folds` divide `train`.

    One fold is a plain holdout; several are a cross-validation whose `valid` parts cover `train` exactly once.
    """

    train: np.ndarray
    test: np.ndarray
    folds: tuple[Fold, ...]
