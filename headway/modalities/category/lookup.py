"""Category values as rows of fixed tables: one-hot, smoothed target means, and how common a value is.

Target means are shrunk towards the overall mean: Micci-Barreca 2001, "A preprocessing scheme for high-cardinality
categorical attributes", eq. 4 with a constant weight. In training each row's mean comes from the other folds, so that
it never contains the row's own target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import spox.opset.ai.onnx.ml.v5 as ml
import spox.opset.ai.onnx.v21 as op
from spox import Var

# More levels than this are not worth a place each; the rarest are pooled.
_MOST_LEVELS = 20_000
# Trees get target means beside the places of their own from so many levels on.
_FEW = 4
_FOLDS = 5
_SMOOTHING = 10.0


@dataclass(frozen=True)
class Column:
    """One category column: `levels` that have a row of their own, and `table` float32 `[1 + levels, width]`.

    Row 0 of the table stands for values that are rare or were never seen.
    """

    levels: tuple[str, ...]
    table: np.ndarray


@dataclass(frozen=True)
class Lookup:
    """The tables of all category columns, in the feed's order."""

    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """Return the number of columns that come out."""
        return sum(column.table.shape[1] for column in self.columns)


def fit_lookup(
    values: np.ndarray,
    targets: np.ndarray,
    *,
    style: Literal["linear", "trees", "codes"],
    seed: int,
    most_one_hot: int = 24,
    rare: int = 2,
) -> tuple[Lookup, np.ndarray]:
    """Learn tables from strings `[n, k]` ("" is missing) and targets `[n, t]`; return them and the training features.

    `targets`: one column per class with 0 or 1, one column of standardised values, or none (no target means). Values
    seen at most `rare` times in a column (once, in small data) are pooled. Up to `most_one_hot` levels get a place
    each, more levels are described by target means and log counts; trees get both from a few levels on. Style
    `codes` gives each column's level as one number from 0 (an embedding's index).
    """
    rare = rare if len(values) >= 1000 else 1
    columns, features = [], []
    for j in range(values.shape[1]):
        levels, codes = _codes(values[:, j], rare)
        size = len(levels) + 1
        if style == "codes":
            table = np.arange(size, dtype=np.float32)[:, None]
            own = table[codes]
        else:
            is_low = size <= most_one_hot + 1
            described = not is_low or (style == "trees" and size > _FEW)
            table, own = _fit_table(size, codes, targets, one_hot=is_low, described=described, seed=seed + j)
        column = Column(levels, table)
        columns.append(column)
        features.append(own)
    return Lookup(tuple(columns)), np.concatenate(features, axis=1)


def lookup_nodes(lookup: Lookup, categories: Var) -> Var:
    """Return float32 `[rows, lookup.width]` of strings `[rows, k]`."""
    parts = []
    for j, column in enumerate(lookup.columns):
        values = op.gather(categories, op.const(np.array(j, np.int64)), axis=1)
        if column.levels:
            codes = ml.label_encoder(
                values,
                keys_strings=list(column.levels),
                values_int64s=list(range(1, len(column.levels) + 1)),
                default_int64=0,
            )
        else:  # nothing is known by name: every row is row 0
            codes = op.cast(op.equal(values, values), to=np.int64)
            codes = op.sub(codes, codes)
        parts.append(op.gather(op.const(column.table), codes, axis=0))
    return op.concat(parts, axis=1) if len(parts) > 1 else parts[0]


def _codes(values: np.ndarray, rare: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the levels, most common first, and each row's level counted from 1, 0 where it is pooled."""
    distinct, inverse, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = order[counts[order] > rare][:_MOST_LEVELS]
    position = np.zeros(len(distinct), np.int64)
    position[kept] = np.arange(1, len(kept) + 1)
    return tuple(str(level) for level in distinct[kept]), position[inverse.ravel()]


def _fit_table(
    size: int, codes: np.ndarray, targets: np.ndarray, *, one_hot: bool, described: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's table, float32 `[size, width]`, and the training rows' own features."""
    tables: list[np.ndarray] = []
    features: list[np.ndarray] = []
    if one_hot:
        places = _one_hot(size, codes)
        tables.append(places)
        features.append(places[codes])
    if described:
        means, own = _describe(size, codes, targets, seed)
        tables.append(means)
        features.append(own)
    return np.concatenate(tables, axis=1), np.concatenate(features, axis=1)


def _one_hot(size: int, codes: np.ndarray) -> np.ndarray:
    """Return the identity, without the pooled row's own column when training never saw it, 1 column for 2 levels."""
    if size == 1:
        return np.zeros((1, 1), np.float32)
    table = np.eye(size, dtype=np.float32)
    if not (codes == 0).any():
        table = table[:, 1:]
    # Of two complementary columns one says it all; an unseen value lies half way between them.
    if size == 3 and table.shape[1] == 2:
        table = table[:, :1] + 0.5 * (table.sum(axis=1, keepdims=True) == 0)
    return np.ascontiguousarray(table, np.float32)


def _describe(size: int, codes: np.ndarray, targets: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the table of target means and log counts, and the training rows' own, out of fold."""
    counts = np.bincount(codes, minlength=size)
    log_counts = np.log1p(counts).astype(np.float32)[:, None]
    log_counts[0] = np.log1p(1)
    targets = targets[:, 1:] if targets.shape[1] == 2 else targets
    if targets.shape[1] == 0:
        return log_counts, log_counts[codes]
    table = np.concatenate([_means(size, codes, targets), log_counts], axis=1)
    own = np.empty((len(codes), table.shape[1]), np.float32)
    folds = np.random.default_rng(seed).permutation(len(codes)) % _FOLDS
    for fold in range(_FOLDS):
        inside = folds == fold
        own[inside, :-1] = _means(size, codes[~inside], targets[~inside])[codes[inside]] if (~inside).any() else 0
    own[:, -1] = log_counts[codes, 0]
    return table, own


def _means(size: int, codes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the smoothed target means of each level, float32 `[size, t]`."""
    counts = np.bincount(codes, minlength=size)[:, None]
    sums = np.stack([np.bincount(codes, weights=t, minlength=size) for t in targets.T], axis=1)
    prior = targets.mean(axis=0)
    means = (sums + _SMOOTHING * prior) / (counts + _SMOOTHING)
    return np.asarray(means, np.float32)
