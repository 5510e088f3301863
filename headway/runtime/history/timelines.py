"""Events in the order of their keys and times, so that what happened in a window is found by two searches.

Sums are sums of whole numbers (values times a power of two), and a window's sum is the difference of two running sums,
which may wrap around: it comes out exactly the same whatever other rows there are. So a row has the same features in
training, in a file of its own, and among millions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.runtime.history.events import MICROS, NEVER, NOBODY, Events
from headway.runtime.manifest import History

_DAY = 86_400 * MICROS
# The largest value has so many binary digits as a whole number, with room for as many rows as memory holds, and for
# later values that are larger.
DIGITS, _LARGEST, _LARGEST_SQUARE = 36, 2.0**44, 2.0**52
# 1970-01-01 was a Thursday.
_THURSDAY, _SATURDAY = 3, 5
_MORNING = 7
# What is smaller divides nothing.
_NOTHING = 1e-30


@dataclass(frozen=True)
class Timeline:
    """The events of one key column.

    `keys`: the different keys, sorted. `instants`: the different times, sorted. `places`: for each event its key's
    number times (instants + 1) plus its time's number, sorted; `times` in that order. `sums`, `counts`: int64
    `[n + 1, values + 1]`, of all events before each, the outcome last; `squares` the same of the values' squares.
    """

    keys: np.ndarray
    instants: np.ndarray
    places: np.ndarray
    times: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    squares: np.ndarray

    def find(self, codes: np.ndarray, times: np.ndarray, *, past: bool) -> np.ndarray:
        """Return the position of the first event of each key at or after a time, or where `past`, after it."""
        ranks = np.searchsorted(self.instants, times, side="right" if past else "left")
        found: np.ndarray = np.searchsorted(self.places, codes * (len(self.instants) + 1) + ranks)
        return found


def fit_scales(events: Events) -> tuple[int, ...]:
    """Return the powers of two by which values and outcomes become whole numbers."""
    largest = [
        float(np.abs(column[np.isfinite(column)]).max(initial=0.0)) for column in (*events.values.T, events.outcomes)
    ]
    return tuple(int(np.clip(DIGITS - np.ceil(np.log2(size)), -500, 500)) if size > 0 else DIGITS for size in largest)


def make_timeline(events: Events, place: int, scales: tuple[int, ...]) -> Timeline:
    """Return the timeline of the key column at `place`; events without this key or a time are in none."""
    events = events.take((events.keys[:, place] != NOBODY) & (events.times != NEVER))
    keys, codes = np.unique(events.keys[:, place], return_inverse=True)
    instants, ranks = np.unique(events.times, return_inverse=True)
    places = codes.ravel().astype(np.int64) * (len(instants) + 1) + ranks.ravel()
    order = np.argsort(places, kind="stable")
    numbers = np.concatenate([events.values, events.outcomes[:, None]], axis=1)[order].astype(np.float64)
    known = np.isfinite(numbers)
    scaled = np.clip(np.where(known, numbers, 0.0) * np.exp2(scales), -_LARGEST, _LARGEST)
    squares = np.minimum(scaled[:, :-1] ** 2 * 2.0**-DIGITS, _LARGEST_SQUARE)
    sums = [_running(np.rint(each).astype(np.int64)) for each in (scaled, known, squares)]
    return Timeline(keys, instants, places[order], events.times[order], *sums)


def describe_time(asked: Events) -> np.ndarray:
    """Return float32 `[n, 2]`: whether a row happens at night (before 7) and at a weekend; NaN without a time."""
    known = asked.times != NEVER
    times = np.where(known, asked.times, 0)
    night = (times % _DAY) < _MORNING * 3_600 * MICROS
    weekend = (times // _DAY + _THURSDAY) % 7 >= _SATURDAY
    flags = np.stack([night, weekend], axis=1).astype(np.float32)
    flags[~known] = np.nan
    return flags


def describe_past(timeline: Timeline, history: History, asked: Events, place: int) -> np.ndarray:
    """Return float32 `[n, width]` for the key column at `place`, in the order of `naming.key_names`.

    Counted are events strictly before each row; outcomes only of those that lie `history.delay` back. What is not known
    (the mean of no rows, everything about a row without key or time) is NaN.
    """
    known = (asked.keys[:, place] != NOBODY) & (asked.times != NEVER)
    sure = asked.take(known)
    codes = _codes(timeline, sure.keys[:, place])
    # Needles in order are found far faster.
    order = np.lexsort((sure.times, codes))
    found = _describe(timeline, history, sure.take(order), codes[order])
    out = np.full((len(asked), found.shape[1]), np.nan, np.float32)
    rows = np.flatnonzero(known)[order]
    out[rows] = found
    return out


def _describe(timeline: Timeline, history: History, asked: Events, codes: np.ndarray) -> np.ndarray:
    times = asked.times
    now = timeline.find(codes, times, past=False)
    columns: list[np.ndarray] = []
    for window in history.windows:
        first = timeline.find(codes, times - _span(window), past=True)
        columns.append((now - first).astype(np.float64))
        for value in range(len(history.values)):
            own = asked.values[:, value].astype(np.float64)
            count, mean = _mean(timeline, history, first, now, value)
            deviation = _deviation(timeline, history, first, now, value)
            columns += [mean, _ratio(own, mean), _ratio(np.where(count > 1, own - mean, np.nan), deviation)]
        if history.delay is not None:
            behind = times - _span(history.delay)
            late = timeline.find(codes, behind, past=True)
            first = timeline.find(codes, behind - _span(window), past=True)
            columns += _mean(timeline, history, first, late, len(history.values))
    columns.append(_days_since(timeline, history, asked, codes, now))
    return np.stack(columns, axis=1).astype(np.float32)


def _mean(
    timeline: Timeline, history: History, first: np.ndarray, end: np.ndarray, column: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many known values lie between two positions, and their mean, NaN where there are none."""
    count = (timeline.counts[end, column] - timeline.counts[first, column]).astype(np.float64)
    total = (timeline.sums[end, column] - timeline.sums[first, column]).astype(np.float64)
    mean = np.full(len(count), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return count, mean * np.exp2(-history.scales[column])


def _deviation(timeline: Timeline, history: History, first: np.ndarray, end: np.ndarray, column: int) -> np.ndarray:
    """Return the standard deviation of the values between two positions, 0 where they are all the same."""
    count, mean = _mean(timeline, history, first, end, column)
    total = (timeline.squares[end, column] - timeline.squares[first, column]).astype(np.float64)
    square = total / np.maximum(count, 1) * np.exp2(DIGITS - 2 * history.scales[column])
    # What is less than the squares' last digit is nothing.
    least = np.exp2(DIGITS - 2 * history.scales[column])
    variance = square - mean**2
    return np.asarray(np.sqrt(np.where(variance > least, variance, 0.0)))


def _ratio(values: np.ndarray, means: np.ndarray) -> np.ndarray:
    out = np.full(len(values), np.nan)
    np.divide(values, means, out=out, where=np.abs(means) > _NOTHING)
    return np.asarray(np.clip(out, -1e6, 1e6))


def _days_since(timeline: Timeline, history: History, asked: Events, codes: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return the days since the key's last event within the widest window, NaN where there is none."""
    first = timeline.find(codes, asked.times - _span(max(history.windows)), past=True)
    days = np.full(len(now), np.nan)
    has = now > first
    days[has] = (asked.times[has] - timeline.times[now[has] - 1]) / _DAY
    return days


def _codes(timeline: Timeline, keys: np.ndarray) -> np.ndarray:
    """Return the number of each key; one that was never met lies behind all others."""
    if not len(timeline.keys):
        return np.zeros(len(keys), np.int64)
    near = np.minimum(np.searchsorted(timeline.keys, keys), len(timeline.keys) - 1)
    return np.where(timeline.keys[near] == keys, near, len(timeline.keys)).astype(np.int64)


def _running(numbers: np.ndarray) -> np.ndarray:
    total = np.zeros((len(numbers) + 1, numbers.shape[1]), np.int64)
    np.cumsum(numbers, axis=0, dtype=np.int64, out=total[1:])
    return total


def _span(seconds: float) -> int:
    return round(seconds * MICROS)
