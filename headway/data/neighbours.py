"""Rows that are nearly the same: found by kind of input, put together over all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.casting import normalise_text
from headway.data.dataset import Column, Finding
from headway.data.keys import input_keys
from headway.data.linkage import link
from headway.data.near_images import find_near_images
from headway.data.near_texts import find_near_texts

# Beyond this the search would take longer than many a candidate.
MOST_ROWS = 300_000
_MOST_LINKED = 20_000
# The fields of a record are shorter than this on average.
_LONGEST_FIELD = 40


@dataclass(frozen=True)
class Neighbours:
    """`first`: `[n]` int64, the position of the first row of each row's cluster (its own when it stands alone)."""

    first: np.ndarray
    reason: str
    findings: tuple[Finding, ...] = ()


def find_near_duplicates(rows: pl.DataFrame, inputs: Sequence[Column]) -> Neighbours:
    """Return which rows are nearly the same: in their texts and images, or in the fields that name somebody.

    Rows with texts or images are near when one of the two kinds is and all other inputs are the same. A table that
    names somebody (see `_names_somebody`) is compared field by field.
    """
    if rows.height <= _MOST_LINKED and _names_somebody(rows, inputs):
        linked = link(rows, [column.name for column in inputs])
        pairs_linked = linked.select("left", "right").to_numpy().astype(np.int64)
        return Neighbours(cluster(pairs_linked, rows.height), "probably another record of the same thing")
    texts = [column.name for column in inputs if column.modality == "text"]
    images = [column.name for column in inputs if column.modality == "image"]
    if rows.height > MOST_ROWS and (texts or images):
        message = f"near duplicates are not looked for among more than {MOST_ROWS:,} rows"
        return Neighbours(np.arange(rows.height), "", (Finding("near_duplicates_skipped", "info", None, message),))
    pairs = [find_near_images(rows[name].to_list()) for name in images]
    if texts:
        joined = [normalise_text(rows[name]) for name in texts]
        pairs.append(find_near_texts(pl.select(pl.concat_str(joined, separator=" ", ignore_nulls=True)).to_series()))
    if not pairs:
        return Neighbours(np.arange(rows.height), "")
    found = np.concatenate(pairs)
    others = [column for column in inputs if column.modality not in ("text", "image")]
    if others:
        keys = input_keys(rows, others)
        found = found[keys[found[:, 0]] == keys[found[:, 1]]]
    reason = "nearly the same " + " or ".join(["image"] * bool(images) + ["text"] * bool(texts))
    return Neighbours(cluster(found, rows.height), reason)


def _names_somebody(rows: pl.DataFrame, inputs: Sequence[Column]) -> bool:
    """Tell whether at least three columns of short text have many different values, as names and addresses do."""
    telling = 0
    for column in inputs:
        if column.modality == "image":
            return False
        values = rows[column.name].drop_nulls()
        if column.modality in ("text", "category") and len(values):
            if float(values.str.len_chars().mean() or 0) > _LONGEST_FIELD:  # type: ignore[arg-type]
                return False
            telling += len(values) * 2 > rows.height and values.n_unique() * 5 > len(values)
    return telling >= 3


def cluster(pairs: np.ndarray, size: int) -> np.ndarray:
    """Return `[size]` int64: for every row the first row that `pairs` (`[k, 2]`) connect it with."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(pairs) == 0:
        return np.arange(size)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
