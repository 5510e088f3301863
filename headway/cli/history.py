"""A file whose rows are each other's past: what a package tells of it, found over all rows before any is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from headway.cli.answers import without_columns
from headway.cli.messages import Language, say, say_count
from headway.data.reading import blank_missing
from headway.data.sources.part import REASON
from headway.project.schema import Reading
from headway.runtime import Model
from headway.runtime.feeds import dates
from headway.runtime.manifest import DateFeed, History


@dataclass(frozen=True)
class Sequel:
    """Batches with what is told of each row's past in the columns `added`; how many rows `lack` a past, and why.

    `is_whole`, bool `[rows]`, tells whose past is known all through the widest window; None where no past is told.
    `gap` is the time, from and to, that neither package nor file knows. All times are seconds since 1970.
    """

    batches: list[pl.DataFrame]
    added: tuple[str, ...]
    lack: int = 0
    since: float | None = None
    until: float | None = None
    gap: tuple[float, float] | None = None
    is_whole: np.ndarray | None = None

    def describe(self, language: Language) -> list[str]:
        """Return what a user should know, in words."""
        told = []
        if self.until is not None:
            told.append(say("history:until", language).format(until=_moment(self.until)))
        if self.lack:
            rows = say_count(self.lack, "row", language)
            key = "history:lack" if self.since is None else "history:forgotten"
            told.append(say(key, language).format(rows=rows, since=_moment(self.since or 0.0)))
        if self.gap is not None and self.is_whole is not None:
            rows = say_count(int((~self.is_whole).sum()) - self.lack, "row", language)
            first, last = map(_moment, self.gap)
            told.append(say("history:gap", language).format(rows=rows, first=first, last=last))
        return told


def follow(batches: Iterable[pl.DataFrame], model: Model) -> Sequel:
    """Return the rows of a file with what a package tells of their past; rejected rows are nobody's past.

    All rows are held in memory, since any may be the past of any other. Raises `InputError` where a column is missing
    that the past is told by. Rows that bring these columns themselves are left as they are.
    """
    held = list(batches)
    memory = model.memory
    if memory is None or not held or all(name in held[0].columns for name in model.told):
        return Sequel(held, ())
    rows = pl.concat(held, how="diagonal_relaxed") if len(held) > 1 else held[0]
    kept = rows[REASON].is_null().to_numpy() if REASON in rows.columns else np.ones(rows.height, bool)
    columns = _columns(rows.filter(pl.Series(kept)), model)
    told = model.remember(columns, strict=False, in_order=True)
    wide = np.full((rows.height, len(memory.names)), np.nan, np.float32)
    wide[kept] = np.stack([np.asarray(told[name]) for name in memory.names], axis=1)
    lacks = np.isnan(wide[:, 0]) & kept
    seconds = np.full(rows.height, np.nan)
    seconds[kept] = _seconds(columns, memory.history)
    gap = _find_gap(seconds, memory.history)
    done, start = [], 0
    for batch in held:
        part = wide[start : start + batch.height]
        done.append(batch.with_columns(pl.Series(name, part[:, place]) for place, name in enumerate(memory.names)))
        start += batch.height
    is_whole = kept & ~lacks & ~_reaches_into(gap, seconds, memory.history)
    return Sequel(done, memory.names, int(lacks.sum()), memory.history.since, memory.history.until, gap, is_whole)


def _find_gap(seconds: np.ndarray, history: History) -> tuple[float, float] | None:
    """Return the time between what is remembered and the first later row, where it is as long as a window."""
    later = seconds[seconds > history.until] if history.until is not None else seconds[:0]
    if history.until is None or not len(later) or later.min() - history.until < min(history.windows):
        return None
    return history.until, float(later.min())


def _reaches_into(gap: tuple[float, float] | None, seconds: np.ndarray, history: History) -> np.ndarray:
    """Tell for each row whether what counts of its past lies in the gap, bool `[rows]`."""
    if gap is None:
        return np.zeros(len(seconds), bool)
    reach = max(history.windows) + (history.delay or 0.0)
    return np.asarray((seconds >= gap[1]) & (seconds - reach < gap[1]))


def _seconds(columns: Mapping[str, pl.Series], history: History) -> np.ndarray:
    """Return when each row happens, NaN where that cannot be read."""
    feed = DateFeed("time", (history.time,))
    return np.asarray(dates.encode(feed, columns, strict=False)["time"][:, 0], dtype=np.float64)


def _columns(rows: pl.DataFrame, model: Model) -> dict[str, pl.Series]:
    """Return the columns that the past is told by, and the target where it is there, missing cells blanked."""
    assert model.memory is not None
    if not set(model.memory.columns) <= set(rows.columns):
        raise without_columns(model.memory.columns, rows)
    names = [*model.memory.columns, *([model.memory.target] if model.memory.target in rows.columns else [])]
    chosen = blank_missing(rows.select(names), Reading().missing)
    return {name: chosen[name] for name in chosen.columns}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
