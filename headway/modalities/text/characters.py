"""The one feed that n-gram families read a text column through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.runtime.feeds import encode
from headway.runtime.manifest import CharacterFeed

MAX_LENGTH = 2000
# Rows that run through a graph at once; they are sorted by length first, so a batch is hardly wider than its texts.
BATCH = 256


def character_feed(column: str) -> CharacterFeed:
    """Return the feed of normalised code points of `column`."""
    return CharacterFeed(f"chars:{column}", (column,), max_length=MAX_LENGTH)


@dataclass(frozen=True)
class Texts:
    """The texts of one column as code points, in batches of like length.

    `batches`: positions `[k]` and int32 `[k, longest]` with 0 after the end of each text; `rows` in all.
    """

    column: str
    batches: tuple[tuple[np.ndarray, np.ndarray], ...]
    rows: int


def read_texts(rows: pl.DataFrame, column: str) -> Texts:
    """Read a text column through its feed, as it will be read in production."""
    feed = character_feed(column)
    cells = rows[column].to_list()
    order = np.argsort([len(cell or "") for cell in cells], kind="stable")
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    encoded = (encode(feed, {column: [cells[i] for i in part]}, files={})[feed.name] for part in parts)
    return Texts(column, tuple(zip(parts, encoded, strict=True)), len(cells))
