"""Where every row goes: test, train, and the folds of train."""

from __future__ import annotations

import numpy as np
import polars as pl

from headway.data.dataset import Dataset, Fold, Split
from headway.errors import DataError
from headway.project.schema import Splitting

# Below this many training rows one holdout is too noisy to choose by.
CROSS_VALIDATE_BELOW = 2000
_FOLDS = 5
_FEW_FOLDS = 3
# What is held back for the test where the project does not say. Text tells more by row than a label does.
_TEST_SHARE, _TEST_SHARE_OF_TEXT = 0.2, 0.1
# A validation part of so many characters tells models of text apart.
_VALID_CHARACTERS = 60_000
# By time, classes cannot be dealt out evenly: so many rows of a rare one tell candidates apart, and cost at most this.
_RARE, _RARE_ROWS, _MOST_VALID = 0.2, 150, 0.3


def split(dataset: Dataset, splitting: Splitting, *, seed: int, given_test: bool = False) -> Split:
    """Divide the rows; classes keep their shares, groups never cross, and time runs forward where it is named.

    Of several targets, the classes of each keep their shares as far as that can be had for all of them at once.

    With `given_test` the test part is another Dataset and `Split.test` is empty. The folds are `splitting.folds`, or
    five (three when a class has fewer than five rows) below 2,000 training rows, or one holdout. By time, and in a
    running text, the test part and the holdout are the latest rows; texts to be written have one holdout. Raises
    DataError when there are too few rows or groups.
    """
    if dataset.form == "stream":
        return _split_in_order(dataset, splitting, given_test=given_test)
    if splitting.time is not None:
        return _split_by_time(dataset, splitting, given_test=given_test)
    rows, empty = np.arange(len(dataset)), np.empty(0, np.int64)
    test = empty if given_test else _holdout(rows, dataset, _test_share(dataset, splitting), seed=seed, name="test")
    train = np.setdiff1d(rows, test)
    count = _fold_count(dataset, train, splitting.folds)
    if count == 1:
        valid = _holdout(train, dataset, _valid_share(dataset, splitting, len(train)), seed=seed + 1, name="validation")
        return Split(train, test, (Fold(np.setdiff1d(train, valid), valid),))
    parts = _folds(train, dataset, count, seed + 1)
    return Split(train, test, tuple(Fold(np.setdiff1d(train, part), part) for part in parts))


def _test_share(dataset: Dataset, splitting: Splitting) -> float:
    """Return the share of the rows to test on."""
    if splitting.test is not None:
        return splitting.test
    return _TEST_SHARE_OF_TEXT if dataset.task == "generate" else _TEST_SHARE


def _valid_share(dataset: Dataset, splitting: Splitting, rows: int) -> float:
    """Return the share of the training rows to validate on: about 1,200 rows tell candidates apart."""
    if splitting.valid is not None:
        return splitting.valid
    if dataset.task == "generate":
        return min(0.1, max(0.02, _VALID_CHARACTERS / max(1.0, float(dataset.y.sum()))))
    return min(0.2, max(0.1, 1_200 / max(1, rows)), 20_000 / max(1, rows))


def _split_in_order(dataset: Dataset, splitting: Splitting, *, given_test: bool) -> Split:
    """Put the last pieces of a running text into test, and the last of the rest into the one validation part."""
    ends = np.cumsum(dataset.y)
    whole = len(dataset) if given_test else _first_from(ends, 1 - _test_share(dataset, splitting), len(dataset))
    learnt = _first_from(ends[:whole], 1 - _valid_share(dataset, splitting, whole), whole)
    if learnt in {0, whole}:
        raise DataError("too few pieces of text to split in order", where="split", got=f"{len(dataset)} pieces")
    rows = np.arange(len(dataset))
    return Split(rows[:whole], rows[whole:], (Fold(rows[:learnt], rows[learnt:whole]),))


def _first_from(ends: np.ndarray, share: float, rows: int) -> int:
    """Return how many rows hold `share` of the characters; at least one row is left."""
    return min(rows - 1, int(np.searchsorted(ends, share * ends[-1])) + 1) if rows else 0


def _split_by_time(dataset: Dataset, splitting: Splitting, *, given_test: bool) -> Split:
    """Put the latest rows into test, and the latest of the rest into the one validation part.

    Rows that lie less than `splitting.gap` before the first test row are in no part: when a model of its day was
    trained, nobody would have known their targets.
    """
    assert splitting.time is not None
    if splitting.time not in dataset.rows.columns:
        raise DataError("the column of split.time was not kept", where="split.time", got=splitting.time)
    times = _plain_times(dataset.rows[splitting.time])
    order = times.argsort(kind="stable")
    test_rows = 0 if given_test else max(1, round(_test_share(dataset, splitting) * len(order)))
    train, test = order[: len(order) - test_rows], np.sort(order[len(order) - test_rows :])
    if splitting.gap is not None and len(test):
        train = train[times[train] < times[test].min() - splitting.gap]
    train = _without_groups(train, test, dataset.groups)
    valid_rows = max(1, round(_late_share(dataset, splitting, train) * len(train)))
    early, late = train[:-valid_rows], np.sort(train[-valid_rows:])
    early = _without_groups(early, late, dataset.groups)
    if len(early) == 0:
        raise DataError("too few rows to split by time", where="split.time", got=f"{len(dataset)} rows")
    return Split(np.sort(np.concatenate([early, late])), test, (Fold(np.sort(early), late),))


def _plain_times(times: pl.Series) -> np.ndarray:
    """Return float64 `[n]`: seconds for dates, numbers as they are; what has none comes first."""
    plain = times.to_physical().cast(pl.Float64)
    plain = plain / 1e6 if times.dtype.is_temporal() else plain
    return np.asarray(plain.fill_null(float("-inf")).to_numpy())


def _late_share(dataset: Dataset, splitting: Splitting, train: np.ndarray) -> float:
    """Return the share of the training rows to validate on: more where rows of one class are rare."""
    share = _valid_share(dataset, splitting, len(train))
    if splitting.valid is not None or dataset.task != "classify" or not len(train):
        return share
    counts = np.bincount(dataset.y[train])
    rarest = int(counts[counts > 0].min())
    if rarest >= _RARE * len(train):
        return share
    return max(share, min(_MOST_VALID, _RARE_ROWS / rarest))


def _without_groups(earlier: np.ndarray, later: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the earlier rows whose group does not stand among the later ones."""
    return earlier[~np.isin(groups[earlier], groups[later])]


def _strata(y: np.ndarray, task: str) -> np.ndarray:
    """Return `[n]` int64: the class, or for other tasks the decile of the target."""
    if task == "classify":
        return np.asarray(y, np.int64)
    edges = np.quantile(y, np.linspace(0.1, 0.9, 9))
    return np.searchsorted(np.unique(edges), y).astype(np.int64)


def _strata_of_several(dataset: Dataset) -> np.ndarray:
    """Return `[n, targets]` int64: the class or decile of each target, no two targets sharing a number; -1: missing."""
    strata = np.full(dataset.y.shape, -1, np.int64)
    start = 0
    for place, target in enumerate(dataset.targets):
        known = ~np.isnan(dataset.y[:, place])
        own = _strata(dataset.y[known, place], target.task)
        strata[known, place] = own + start
        start += int(own.max(initial=0)) + 1
    return strata


def _fold_count(dataset: Dataset, train: np.ndarray, wanted: int | None) -> int:
    if dataset.task == "generate":
        return 1
    if wanted is not None:
        return wanted
    if len(train) >= CROSS_VALIDATE_BELOW:
        return 1
    return _FEW_FOLDS if _smallest_class(dataset, train) < _FOLDS else _FOLDS


def _smallest_class(dataset: Dataset, train: np.ndarray) -> int:
    """Return the rows of the rarest class of any target that has classes."""
    targets = [(dataset.y, dataset.task)]
    if dataset.targets:
        targets = [(dataset.y[:, place], target.task) for place, target in enumerate(dataset.targets)]
    counts = [len(train)]
    for y, task in targets:
        if task == "classify":
            own = y[train]
            counts += np.unique(own[~np.isnan(own)], return_counts=True)[1].tolist()
    return min(counts)


def _holdout(rows: np.ndarray, dataset: Dataset, share: float, *, seed: int, name: str) -> np.ndarray:
    """Return about `share` of the rows of every stratum, whole groups only, and at least one group."""
    if len(np.unique(dataset.groups[rows])) < 2:
        raise DataError(
            f"there are too few independent rows for a {name} part",
            expected="at least two groups of rows",
            got=f"{len(rows)} rows in one group",
            fix="add data, or check split.group",
        )
    part = _deal(rows, dataset, np.array([share, 1 - share]), seed)
    for empty in (0, 1):
        if not (part == empty).any():
            part[dataset.groups[rows] == dataset.groups[rows[seed % len(rows)]]] = empty
    chosen: np.ndarray = rows[part == 0]
    return chosen


def _folds(rows: np.ndarray, dataset: Dataset, count: int, seed: int) -> list[np.ndarray]:
    """Return `count` parts of nearly equal size that cover `rows`, whole groups only."""
    part = _deal(rows, dataset, np.full(count, 1 / count), seed)
    folds = [rows[part == number] for number in range(count)]
    if min(map(len, folds)) == 0:
        raise DataError(
            f"there are too few independent rows for {count} folds",
            expected=f"at least {count} groups of rows",
            got=f"{len(rows)} rows in {len(np.unique(dataset.groups[rows]))} group(s)",
            fix="add data, or set split: {folds: 2}",
        )
    return folds


def _deal(rows: np.ndarray, dataset: Dataset, shares: np.ndarray, seed: int) -> np.ndarray:
    """Return `[len(rows)]` int64: which part each row goes to, so that parts hold `shares` of every stratum.

    Groups of several rows are dealt first, the largest ones foremost, each to the part that lacks most; single rows
    then fill every stratum up exactly.
    """
    random = np.random.default_rng(seed)
    if dataset.targets:
        return _deal_several(_strata_of_several(dataset)[rows], dataset.groups[rows], shares, random)
    strata = _strata(dataset.y, dataset.task)[rows]
    _, group, size = np.unique(dataset.groups[rows], return_inverse=True, return_counts=True)
    totals = np.bincount(strata)
    held = np.zeros((len(shares), len(totals)))
    part = np.full(len(rows), -1, np.int64)
    by_group = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(size)])
    large = random.permutation(np.flatnonzero(size > 1))
    for unit in large[np.argsort(-size[large], kind="stable")]:
        members = by_group[starts[unit] : starts[unit + 1]]
        stratum = np.bincount(strata[members]).argmax()
        lacking = shares * totals[stratum] - held[:, stratum]
        best = np.lexsort((-(shares * len(rows) - held.sum(axis=1)), -lacking.round(6)))[0]
        part[members] = best
        np.add.at(held[best], strata[members], 1)
    for stratum in random.permutation(len(totals)):
        single = random.permutation(np.flatnonzero((part < 0) & (strata == stratum)))
        counts = _round_counts(shares * totals[stratum] - held[:, stratum], len(single), held.sum(axis=1) / shares)
        part[single] = np.repeat(np.arange(len(shares)), counts)
        held[:, stratum] += counts
    return part


def _deal_several(
    strata: np.ndarray, groups: np.ndarray, shares: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return `[n]` int64: the part of each row, so that parts hold `shares` of every stratum of every target.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, algorithm 1), whole groups at a time: of the rarest
    stratum that is left, group by group, each to the part that lacks most of it. `strata`: `[n, targets]`, -1 for none.
    """
    units = np.unique(groups, return_inverse=True)[1]
    members = np.split(np.argsort(units, kind="stable"), np.cumsum(np.bincount(units))[:-1])
    counts = np.bincount(strata[strata >= 0], minlength=1)
    lacking = np.outer(shares, counts).tolist()
    room = (shares * len(strata)).tolist()
    waiting: dict[int, list[int]] = {}
    order = random.permutation(len(members))
    for unit in sorted(order.tolist(), key=lambda unit: -len(members[unit])):
        for stratum in set(strata[members[unit]].ravel().tolist()) - {-1}:
            waiting.setdefault(stratum, []).append(unit)
    part = np.full(len(strata), -1, np.int64)
    left = counts.copy()
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())
        for unit in waiting[rarest]:
            rows = members[unit]
            if part[rows[0]] >= 0:
                continue
            best = max(range(len(shares)), key=lambda each: (round(lacking[each][rarest], 6), room[each]))
            part[rows] = best
            room[best] -= len(rows)
            for stratum in strata[rows].ravel().tolist():
                if stratum >= 0:
                    lacking[best][stratum] -= 1
                    left[stratum] -= 1
    return part


def _round_counts(wanted: np.ndarray, total: int, filled: np.ndarray) -> np.ndarray:
    """Return whole numbers near `wanted` that sum to `total`; where equal, the least `filled` part gets more."""
    scaled = np.clip(wanted, 0, None)
    scaled = scaled * total / scaled.sum() if scaled.sum() > 0 else np.full(len(wanted), total / len(wanted))
    counts = np.floor(scaled + 1e-9).astype(np.int64)
    order = np.lexsort((filled, -(scaled - counts).round(6)))
    counts[order[: total - counts.sum()]] += 1
    return counts
