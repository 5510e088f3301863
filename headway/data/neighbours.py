"""Rows that are nearly the same: found by kind of input, put together over all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.dataset import Column, Finding
from headway.data.near_texts import find_near_texts


@dataclass(frozen=True)
class Neighbours:
    """`first`: `[n]` int64, the position of the first row of each row's cluster (its own when it stands alone)."""

    first: np.ndarray
    reason: str
    findings: tuple[Finding, ...] = ()


def find_near_duplicates(rows: pl.DataFrame, inputs: Sequence[Column]) -> Neighbours:
    """Return which rows are nearly the same."""
    texts = [column.name for column in inputs if column.modality == "text"]
    if not texts:
        return Neighbours(np.arange(rows.height), "")
    joined = rows.select(pl.concat_str(texts, separator=" ", ignore_nulls=True)).to_series()
    return Neighbours(cluster(find_near_texts(joined), rows.height), "nearly the same text")


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
