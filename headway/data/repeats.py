"""Rows that repeat another one, or nearly: dropped, weighed, or kept together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.changes import list_changes, take
from headway.data.dataset import ROW, Dataset, Finding
from headway.data.neighbours import find_near_duplicates
from headway.project.schema import Cleaning


def is_rich(dataset: Dataset) -> bool:
    """Tell whether texts or images are among the inputs, of which equal ones are copies."""
    return any(column.modality in ("text", "image") for column in dataset.inputs)


def treat_repeats(
    dataset: Dataset, keys: np.ndarray, cleaning: Cleaning, findings: list[Finding]
) -> tuple[Dataset, np.ndarray]:
    """Drop and group repeated and nearly repeated rows as `cleaning` says; `findings` grows."""
    rich = is_rich(dataset)
    if not rich and repeats_are_natural(dataset, keys):
        if len(np.unique(keys)) < len(keys):
            message = "rows repeat because the inputs have few possible values: they are kept"
            findings.append(Finding("natural_duplicates", "info", None, message))
        return dataset, keys
    if cleaning.duplicates == "drop":
        dataset, keys = _drop_duplicates(dataset, keys, findings, weigh=not rich)
    if cleaning.duplicates != "off":
        dataset = _group(dataset, keys)
    if cleaning.near_duplicates != "off":
        dataset, keys = treat_near_duplicates(dataset, keys, findings, drop=cleaning.near_duplicates == "drop")
    return dataset, keys


def repeats_are_natural(dataset: Dataset, keys: np.ndarray) -> bool:
    """Tell whether so few combinations of values are possible that equal rows need not be copies.

    Were the columns independent, two rows would agree in all of them with the product of the columns' own chances;
    dependence only raises it. From one expected pair on, repeats are natural.
    """
    chance = 1.0
    for column in dataset.inputs:
        counts = dataset.rows[column.name].value_counts()["count"].to_numpy() / len(dataset)
        chance *= float((counts**2).sum())
    return chance * len(keys) * (len(keys) - 1) / 2 >= 1


def _drop_duplicates(
    dataset: Dataset, keys: np.ndarray, findings: list[Finding], *, weigh: bool
) -> tuple[Dataset, np.ndarray]:
    """Keep the first of the rows with equal inputs and target; with `weigh` it counts for all of them."""
    targets = {"y": dataset.y} if dataset.y.ndim == 1 else {f"y{i}": column for i, column in enumerate(dataset.y.T)}
    both = pl.DataFrame({"key": keys, **targets}).hash_rows(seed=1).to_numpy()
    _, first, inverse, counts = np.unique(both, return_index=True, return_inverse=True, return_counts=True)
    keep = np.sort(first)
    gone = np.setdiff1d(np.arange(len(both)), keep)
    if len(gone) == 0:
        return dataset, keys
    numbers = dataset.rows[ROW].to_numpy()
    changes = list_changes(numbers[gone], "duplicate", "the same input and target", numbers[first[inverse[gone]]])
    message = f"{len(gone):,} rows repeat another one: dropped before the split"
    findings.append(Finding("duplicate", "info", None, message, {"rows": len(gone)}))
    kept = take(dataset, keep, changes)
    if weigh:
        kept = replace(kept, weight=counts[inverse[keep]].astype(np.float32))
    return kept, keys[keep]


def _group(dataset: Dataset, keys: np.ndarray) -> Dataset:
    """Put rows with the same input into one group."""
    _, inverse = np.unique(keys, return_inverse=True)
    return replace(dataset, groups=merge_groups(dataset.groups, inverse))


def _same(y: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell in which rows targets are the same, `[n]`; of several, all of them."""
    equal = (y == other) | ((y != y) & (other != other))  # noqa: PLR0124 - the NaN test
    return np.asarray(equal if y.ndim == 1 else equal.all(axis=1))


def merge_groups(groups: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return `[n]` int64 groups in which rows that share either label are together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = dense(groups), dense(others)
    size = int(left.max()) + 1
    total = size + int(right.max()) + 1
    graph = coo_array((np.ones(len(left), np.int8), (left, right + size)), shape=(total, total))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component[left], np.int64)


def dense(groups: np.ndarray) -> np.ndarray:
    """Return groups numbered from 0 without gaps."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def treat_near_duplicates(
    dataset: Dataset, keys: np.ndarray, findings: list[Finding], *, drop: bool
) -> tuple[Dataset, np.ndarray]:
    """Group the rows that are nearly equal, or drop all but the first of them where `drop`; `findings` grows."""
    near = find_near_duplicates(dataset.rows, dataset.inputs)
    findings += near.findings
    again = np.flatnonzero(near.first != np.arange(len(dataset)))
    if len(again) == 0:
        return dataset, keys
    numbers = dataset.rows[ROW].to_numpy()
    if drop:
        again = again[_same(dataset.y[again], dataset.y[near.first[again]])]
    step = "near_duplicate" if drop else "near_duplicate_grouped"
    changes = list_changes(numbers[again], step, near.reason, numbers[near.first[again]])
    message = f"{len(again):,} rows nearly equal to another one: " + (
        "dropped" if drop else "kept in the same part of every split"
    )
    findings.append(Finding("near_duplicate", "info", None, message, {"rows": len(again)}))
    grouped = replace(dataset, groups=merge_groups(dataset.groups, near.first))
    if not drop:
        return replace(grouped, changes=pl.concat([grouped.changes, changes])), keys
    keep = np.setdiff1d(np.arange(len(dataset)), again)
    return take(grouped, keep, changes), keys[keep]
