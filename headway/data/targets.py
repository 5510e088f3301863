"""The target column: its labels or values, and the rows that have none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from headway.data.casting import cast_numbers
from headway.errors import DataError
from headway.runtime.manifest import Label

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
# More classes than this cannot be meant.
_MOST_LABELS = 5000


@dataclass(frozen=True)
class Target:
    """`y`: `[n]`, int64 indices into `labels` (-1: none), or float32 values (NaN: none).

    `faults`: positions (`[k]` int64) of the rows without a usable target, and `reasons` why, one each.
    """

    y: np.ndarray
    labels: tuple[Label, ...]
    faults: np.ndarray
    reasons: tuple[str, ...]


def read_target(
    series: pl.Series, task: Literal["classify", "regress"], *, labels: Sequence[Label] | None = None
) -> Target:
    """Return the target's labels in sorted order and `y`; with `labels` given (a test part), in their order.

    Text that spells whole numbers gives int labels. Raises DataError when there are fewer than two classes, when
    there are thousands of them, and when a regression target never changes.
    """
    return _read_values(series, check=labels is None) if task == "regress" else _read_labels(series, labels)


def plain_labels(series: pl.Series) -> list[Label | None]:
    """Return every cell as a label: bool, int, float or str, None where missing."""
    if series.dtype == pl.String:
        texts = series.str.strip_chars().to_list()
        distinct = {text for text in texts if text is not None}
        if distinct and all(_WHOLE.fullmatch(text) for text in distinct):
            return [None if text is None else int(text) for text in texts]
        return [text or None for text in texts]
    if series.dtype.is_float():
        whole = bool((series.drop_nulls().drop_nans() % 1 == 0).all())
        cells = series.fill_nan(None).to_list()
        return [None if cell is None else int(cell) if whole else cell for cell in cells]
    if series.dtype.is_integer() or series.dtype == pl.Boolean:
        return list(series.to_list())
    return [None if cell is None else str(cell) for cell in series.to_list()]


def _read_values(series: pl.Series, *, check: bool) -> Target:
    cast = cast_numbers(series)
    y = cast.series.fill_null(float("nan")).to_numpy().astype(np.float32)
    faults = np.flatnonzero(~np.isfinite(y))
    odd = set(cast.faults.tolist())
    cells = series.gather(faults).to_list()
    reasons = tuple(
        "the target is not a finite number" if position in odd or cell is not None else "the target is missing"
        for position, cell in zip(faults.tolist(), cells, strict=True)
    )
    finite = y[np.isfinite(y)]
    if check and (len(finite) == 0 or finite.min() == finite.max()):
        raise DataError(
            "the target never changes" if len(finite) else "the target has no numbers",
            where=f"column {series.name}",
            expected="different numbers to learn",
            got=f"{finite[0]:g} in all {len(finite):,} rows" if len(finite) else f"cells such as {series[0]!r}",
            fix="check target: in the project file",
        )
    return Target(y, (), faults, reasons)


def _read_labels(series: pl.Series, labels: Sequence[Label] | None) -> Target:
    cells = plain_labels(series)
    if labels is None:
        found = sorted({cell for cell in cells if cell is not None}, key=_order)
        _check_labels(found, series.name, len(cells))
        labels = tuple(found)
    index: dict[object, int] = {(type(label), label): position for position, label in enumerate(labels)}
    by_text: dict[object, int] = {str(label): position for position, label in enumerate(labels)}
    y = np.array(
        [-1 if cell is None else index.get((type(cell), cell), by_text.get(str(cell), -1)) for cell in cells],
        dtype=np.int64,
    )
    faults = np.flatnonzero(y < 0)
    reasons = tuple(
        "the target is missing"
        if cells[position] is None
        else f"the label {cells[position]!r} is not in the training part"
        for position in faults.tolist()
    )
    return Target(y, tuple(labels), faults, reasons)


def _order(label: Label) -> tuple[bool, float, str]:
    return (isinstance(label, str), 0.0, label) if isinstance(label, str) else (False, float(label), "")


def _check_labels(labels: Sequence[Label], name: str, rows: int) -> None:
    if len(labels) < 2:
        got = f"only {labels[0]!r}" if labels else "no label in any row"
        raise DataError(
            "the target has one class" if labels else "the target is empty",
            where=f"column {name}",
            expected="at least two classes",
            got=f"{got} in {rows:,} rows",
            fix="check target: in the project file, and whether the file holds all classes",
        )
    if len(labels) > _MOST_LABELS:
        raise DataError(
            f"the target has {len(labels):,} classes",
            where=f"column {name}",
            expected=f"at most {_MOST_LABELS:,}",
            got=f"values such as {labels[0]!r} and {labels[1]!r}",
            fix="is it an identifier or a number? Name another target, or set task: regress",
        )
