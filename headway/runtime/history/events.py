"""Rows as events: when, about whom, how much, and how it turned out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.runtime.feeds import categories, dates, numbers
from headway.runtime.feeds.cells import Cells, canonical
from headway.runtime.manifest import CategoryFeed, DateFeed, History, NumberFeed

# The time of a row that has none.
NEVER = np.iinfo(np.int64).min
# The key of a row that has none.
NOBODY = np.uint64(0)
MICROS = 1_000_000
# 1700 and 2262 in microseconds: what leaves room for windows on both sides.
_FIRST, _LAST = -8_500_000_000 * MICROS, 9_220_000_000 * MICROS


@dataclass(frozen=True)
class Events:
    """Rows in any order.

    `times`: int64 `[n]`, microseconds since 1970, `NEVER` where missing. `keys`: uint64 `[n, keys]`, a digest of each
    key's spelling, `NOBODY` where missing: pseudonyms, so that no names are kept. `values`: float32 `[n, values]`, NaN
    where missing. `outcomes`: float32 `[n]`, 1 where the event came, 0 where not, or the target's number; NaN where
    unknown.
    """

    times: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    outcomes: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.times)

    def take(self, rows: np.ndarray) -> Events:
        """Return the rows at positions, or where a mask is true."""
        return Events(self.times[rows], self.keys[rows], self.values[rows], self.outcomes[rows])

    def joined(self, other: Events) -> Events:
        """Return these rows and then the other ones."""
        pairs = [
            (self.times, other.times),
            (self.keys, other.keys),
            (self.values, other.values),
            (self.outcomes, other.outcomes),
        ]
        return Events(*(np.concatenate(pair) for pair in pairs))


def read_events(
    history: History, columns: Mapping[str, Cells], *, target: str | None = None, strict: bool = True
) -> Events:
    """Return the rows of columns of equal length as events.

    `target`: the column that says how they turned out; None where nobody knows. Raises `InputError` for a missing
    column, and where `strict` for a cell that cannot be read.
    """
    seconds = dates.encode(DateFeed("time", (history.time,)), columns, strict=strict)["time"][:, 0]
    rows = len(seconds)
    values = np.empty((rows, 0), np.float32)
    if history.values:
        values = numbers.encode(NumberFeed("values", history.values), columns, strict=strict)["values"]
    spelt = categories.encode(CategoryFeed("keys", history.keys), columns)["keys"]
    keys = np.stack([_digests(spelt[:, place]) for place in range(len(history.keys))], axis=1)
    outcomes = np.full(rows, np.nan, np.float32)
    if target is not None and history.delay is not None:
        outcomes = _outcomes(history, columns, target)
    return Events(_micros(seconds), keys, values, outcomes)


def _micros(seconds: np.ndarray) -> np.ndarray:
    known = np.isfinite(seconds)
    micros = np.clip(np.where(known, seconds, 0.0) * MICROS, _FIRST, _LAST)
    return np.where(known, np.rint(micros).astype(np.int64), NEVER)


def _digests(spelt: np.ndarray) -> np.ndarray:
    """Return 64 bits of each spelling's BLAKE2 digest."""
    names = spelt.tolist()
    known = {name: _digest(name) for name in set(names)}
    return np.fromiter((known[name] for name in names), np.uint64, count=len(names))


def _digest(name: str) -> int:
    if not name:
        return int(NOBODY)
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _outcomes(history: History, columns: Mapping[str, Cells], target: str) -> np.ndarray:
    if history.event is None:
        feed = NumberFeed("target", (target,))
        return np.asarray(numbers.encode(feed, columns, strict=False)["target"][:, 0])
    spelt = categories.encode(CategoryFeed("target", (target,)), columns)["target"][:, 0].astype(str)
    came = spelt == canonical(history.event, 0, target)
    return np.where(spelt == "", np.nan, came).astype(np.float32)
