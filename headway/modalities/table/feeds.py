"""The feeds of a table: one for all numbers, one for all categories, one for all dates, one per text column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from headway.data.dataset import Column
from headway.modalities.text.characters import character_feed
from headway.runtime.feeds import encode
from headway.runtime.manifest import CategoryFeed, DateFeed, Feed, NumberFeed


def table_feeds(inputs: Sequence[Column]) -> tuple[Feed, ...]:
    """Return the feeds of the columns that a table model reads, with the names that all families share."""
    names = {kind: tuple(c.name for c in inputs if c.modality == kind) for kind in ("number", "category", "date")}
    feeds: list[Feed] = []
    if names["number"]:
        feeds.append(NumberFeed("numbers", names["number"]))
    if names["category"]:
        feeds.append(CategoryFeed("categories", names["category"]))
    if names["date"]:
        feeds.append(DateFeed("dates", names["date"]))
    feeds += [character_feed(c.name) for c in inputs if c.modality == "text"]
    return tuple(feeds)


def encode_rows(feeds: Sequence[Feed], rows: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return the arrays of all feeds by name."""
    arrays: dict[str, np.ndarray] = {}
    for feed in feeds:
        arrays |= encode(feed, {name: rows[name] for name in feed.columns}, files={})
    return arrays
