"""Category cells as strings of one spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headway.runtime.feeds.cells import Cells, array, canonical, column, listed
from headway.runtime.manifest import CategoryFeed


def encode(feed: CategoryFeed, columns: Mapping[str, Cells]) -> dict[str, np.ndarray]:
    """Return `{feed.name: object array of str [rows, columns]}`, "" where missing; see `canonical` for the spelling."""
    values = [_spelt(column(columns, name), name) for name in feed.columns]
    table = np.empty((len(values[0]), len(values)), dtype=object)
    for position, strings in enumerate(values):
        table[:, position] = strings
    return {feed.name: table}


def _spelt(cells: Cells, name: str) -> list[str]:
    """Return one column in canonical spelling; every distinct value is spelt once."""
    typed = array(cells)
    if typed is not None:
        distinct, inverse = np.unique(typed, return_inverse=True)
        spelt = np.array([canonical(value, 0, name) for value in distinct], dtype=object)
        return spelt[inverse].tolist() if len(typed) else []
    values: list[Any] = listed(cells)
    if set(map(type, values)) <= {str, type(None)}:
        spelling = {value: canonical(value, 0, name) for value in set(values)}
        return [spelling[value] for value in values]
    return [canonical(value, row, name) for row, value in enumerate(values)]
