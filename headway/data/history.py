"""Tables with columns that tell of what happened before each row, and which rows are learnt from at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from headway.data.casting import cast_dates, cast_numbers
from headway.data.dataset import ROW, Finding, Table
from headway.data.inference import check_columns, guess_task
from headway.data.targets import plain_labels
from headway.errors import DataError
from headway.project import schema
from headway.project.schema import Splitting
from headway.runtime.history.events import MICROS, NEVER, Events, read_events
from headway.runtime.history.memory import Memory
from headway.runtime.history.timelines import fit_scales
from headway.runtime.manifest import History, Label

_TEST_SHARE = 0.2
_DAY = 86_400 * MICROS


@dataclass(frozen=True)
class Told:
    """The rows to learn from and to test on, with columns that tell of the past, and what a package remembers.

    `names`: the new columns. `test` is None where none was given or dated.
    """

    table: Table
    test: Table | None
    history: History
    past: Events
    names: tuple[str, ...]
    findings: tuple[Finding, ...]


def tell_history(
    table: Table,
    test: Table | None,
    asked: schema.History,
    *,
    target: str,
    task: Literal["classify", "regress"] | None,
    splitting: Splitting,
) -> Told:
    """Return the tables with what is told of each row's past; rows outside of the dates of `splitting` are left out.

    Every row knows all rows of both tables that happened before it, and the targets of those that are `delay` older.
    Raises DataError for a column that is missing, for a table that is only a sample, and where no row is left.
    """
    columns = [asked.time, *asked.keys, *asked.values]
    for part, where in ((table, "history"), (test, "test")):
        if part is not None:
            check_columns([name for name in part.rows.columns if name != ROW], [*columns, target], where=where)
            _check_whole(part)
    both = [part.rows for part in (table, test) if part is not None]
    event = _find_event(both[0][target], asked, task)
    history = History(asked.time, asked.keys, asked.values, asked.windows, asked.delay, event, ())
    parts = [_read(rows, history, target) for rows in both]
    events = parts[0] if len(parts) == 1 else parts[0].joined(parts[1])
    history = replace(history, scales=fit_scales(events))
    memory = Memory(history, target, events)
    _check_names(both, memory.names)
    if test is None:
        learnt, judged = find_dated(events.times, splitting)
        tables = (_cut(table, learnt), None if judged is None else _cut(table, judged, is_rest=True))
        places = (learnt, judged)
    else:
        learnt = find_dated(parts[0].times, _without_test(splitting))[0]
        tables = (_cut(table, learnt), test)
        places = (learnt, np.arange(len(test.rows)) + len(table.rows))
    blocked = 0
    if asked.block is not None and places[1] is not None and tables[1] is not None:
        keep = ~_blocked(events, places[1], asked, splitting)
        blocked = int((~keep).sum())
        tables = (tables[0], _cut(tables[1], np.flatnonzero(keep)))
        places = (places[0], places[1][keep])
    told = [
        None if part is None or rows is None else _with_columns(part, memory, events.take(rows))
        for part, rows in zip(tables, places, strict=True)
    ]
    assert told[0] is not None
    history, past = _kept(history, events, places[1])
    only = len(events) - sum(len(rows) for rows in places if rows is not None) - blocked
    return Told(told[0], told[1], history, past, memory.names, _findings(asked, memory, only, blocked))


def cut_by_dates(table: Table, test: Table | None, splitting: Splitting) -> tuple[Table, Table | None]:
    """Return the rows to learn from and to test on, as the dates of `splitting` say, for a table without history."""
    assert splitting.time is not None
    check_columns([name for name in table.rows.columns if name != ROW], [splitting.time], where="split.time")
    times = _times(table.rows, splitting.time, where="split.time").to_physical().fill_null(NEVER).to_numpy()
    learnt, judged = find_dated(times, splitting if test is None else _without_test(splitting))
    return _cut(table, learnt), test if judged is None else _cut(table, judged, is_rest=True)


def _without_test(splitting: Splitting) -> Splitting:
    """Return the dates of the rows to learn from alone."""
    return splitting.model_copy(update={"test_from": None})


def _check_whole(table: Table) -> None:
    if table.left_out:
        raise DataError(
            "the past cannot be told of a sample of the rows",
            where="history",
            expected="all rows in memory",
            got=f"{table.left_out:,} rows left out",
            fix="raise budget.memory, or take older rows out",
        )


def _check_names(both: Sequence[pl.DataFrame], names: Sequence[str]) -> None:
    taken = [name for name in names if any(name in rows.columns for rows in both)]
    if taken:
        raise DataError(
            f"the table already has the column {taken[0]!r}",
            where="history",
            expected="names that are free for what is told of the past",
            got=", ".join(taken[:5]),
            fix="rename it, or leave history: out",
        )


def _find_event(target: pl.Series, asked: schema.History, task: Literal["classify", "regress"] | None) -> Label | None:
    """Return the label whose share is told; None for numbers, and where targets are not looked at."""
    if asked.delay is None or (task or guess_task(target)) == "regress":
        return None
    counts = Counter(label for label in plain_labels(target) if label is not None)
    if asked.event is not None:
        found = [label for label in counts if str(label).lower() == str(asked.event).lower()]
        if not found:
            raise DataError(
                "no row has the label of history.event",
                where="history.event",
                expected="one of " + ", ".join(str(label) for label, _ in counts.most_common(10)),
                got=str(asked.event),
            )
        return found[0]
    if len(counts) != 2:
        raise DataError(
            "it is not said which label's past share is to be told",
            where="history.event",
            expected="one of " + ", ".join(str(label) for label, _ in counts.most_common(10)),
            got=f"{len(counts)} labels",
            fix="add event: to history, or take delay: out",
        )
    return counts.most_common()[-1][0]


def _read(rows: pl.DataFrame, history: History, target: str) -> Events:
    """Return rows as events, cast as cleaning casts them: the runtime's spellings, and quickly."""
    cells = {history.time: _times(rows, history.time, where="history.time"), target: rows[target]}
    cells |= {name: cast_numbers(rows[name]).series.fill_null(float("nan")) for name in history.values}
    cells |= {name: rows[name] for name in history.keys}
    return read_events(history, cells, target=target, strict=False)


def _times(rows: pl.DataFrame, name: str, *, where: str) -> pl.Series:
    dates = cast_dates(rows[name])
    if len(dates.faults) > 0.1 * rows.height:
        raise DataError(
            f"the column {name!r} holds no dates",
            where=where,
            expected="dates in year, month, day order, such as 2018-07-25 14:30:00",
            got=f"{len(dates.faults):,} of {rows.height:,} cells are none",
        )
    return dates.series


def find_dated(times: np.ndarray, splitting: Splitting) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the positions of the rows to learn from, and to test on, None where that is not dated.

    `times`: int64 `[n]`, microseconds since 1970, `NEVER` where missing. Raises DataError where a part is empty.
    """
    if not splitting.is_dated:
        return np.arange(len(times)), None
    learnt, judged = times != NEVER, None
    if splitting.test_from is not None:
        late = times >= _micros(splitting.test_from)
        judged = np.flatnonzero(learnt & late)
        learnt &= ~late
    if splitting.train_from is not None:
        learnt &= times >= _micros(splitting.train_from)
    if splitting.train_until is not None:
        learnt &= times < _micros(splitting.train_until)
    rows = np.flatnonzero(learnt)
    for name, found in (("learn from", rows), ("test on", judged)):
        if found is not None and not len(found):
            raise DataError(f"no row is left to {name}", where="split", expected="rows between the dates named there")
    return rows, judged


def _micros(seconds: float) -> int:
    return round(seconds * MICROS)


def _cut(table: Table, rows: np.ndarray, *, is_rest: bool = False) -> Table:
    """Return the table with some of its rows; what is left out was never read, as far as counts go."""
    if len(rows) == table.rows.height and not is_rest:
        return table
    read = len(rows) if is_rest else table.read - (table.rows.height - len(rows))
    rejected = table.rejected.clear() if is_rest else table.rejected
    return replace(table, rows=table.rows[rows], read=read, rejected=rejected)


def _blocked(events: Events, judged: np.ndarray, asked: schema.History, splitting: Splitting) -> np.ndarray:
    """Tell which test rows have a key with an event that was known when their day began.

    As in the handbook's `get_train_test_set`: counted from the first row that is learnt from.
    """
    assert asked.block is not None
    assert asked.delay is not None
    place = asked.keys.index(asked.block)
    since = NEVER + 1 if splitting.train_from is None else _micros(splitting.train_from)
    came = (events.outcomes > 0) & (events.times >= since)
    first: dict[int, int] = {}
    for key, time in zip(events.keys[came, place].tolist(), events.times[came].tolist(), strict=True):
        first[key] = min(first.get(key, time), time)
    midnight = events.times[judged] // _DAY * _DAY - round(asked.delay * MICROS)
    never = np.iinfo(np.int64).max
    known = np.fromiter((first.get(key, never) for key in events.keys[judged, place].tolist()), np.int64, len(judged))
    return np.asarray(known < midnight)


def _with_columns(table: Table, memory: Memory, asked: Events) -> Table:
    told = memory.describe(asked, memory.timelines)
    columns = [pl.Series(name, cells.astype(np.float64)).fill_nan(None) for name, cells in told.items()]
    return replace(table, rows=table.rows.with_columns(columns))


def _kept(history: History, events: Events, judged: np.ndarray | None) -> tuple[History, Events]:
    """Return what a package remembers: all that counts for the rows of the test part, and for later ones."""
    known = events.times[events.times != NEVER]
    if not len(known):
        return history, events.take(np.zeros(0, np.int64))
    first = np.quantile(known, 1 - _TEST_SHARE) if judged is None else events.times[judged].min(initial=known.max())
    reach = max(history.windows) + (history.delay or 0.0)
    oldest = int(first) - round(reach * MICROS)
    kept = events.take((events.times >= oldest) & (events.times != NEVER))
    since = int(first) / MICROS if oldest > known.min() else None
    return replace(history, since=since, until=int(known.max()) / MICROS), kept


def _findings(asked: schema.History, memory: Memory, only: int, blocked: int) -> tuple[Finding, ...]:
    keys = ", ".join(asked.keys)
    told = f"{len(memory.names)} columns tell what happened before each row, by {keys}"
    found = [Finding("history", "info", None, told, {"columns": len(memory.names)})]
    if only:
        words = f"{only:,} rows are not learnt from and serve as history alone"
        found.append(Finding("history_only", "info", None, words, {"rows": only}))
    if blocked:
        words = f"{blocked:,} test rows are left out: an event of their {asked.block} was known before"
        found.append(Finding("blocked", "info", asked.block, words, {"rows": blocked}))
    return tuple(found)
