"""From a raw table to a clean data set; each changed row is kept with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from headway.data.casting import cast_column, cast_dates, cast_numbers, find_country_date
from headway.data.changes import list_changes, no_changes, take
from headway.data.dataset import ROW, Column, Dataset, Finding, Table
from headway.data.inference import check_columns
from headway.data.keys import empty_rows, input_keys
from headway.data.reading import check_rejected, locate
from headway.data.repeats import dense, is_rich, repeats_are_natural, treat_repeats
from headway.data.sources.part import REJECTED, Reject, rejected_frame
from headway.data.targets import Target, read_target
from headway.errors import DataError
from headway.project.schema import Cleaning
from headway.runtime.manifest import Label

_DEFAULT = Cleaning()


@dataclass(frozen=True)
class Cleaned:
    """The training part, the given test part if there is one, all rejected cells and lines, and what was noticed."""

    train: Dataset
    test: Dataset | None
    rejected: pl.DataFrame
    findings: tuple[Finding, ...]


def clean(
    table: Table,
    *,
    target: str,
    inputs: tuple[Column, ...],
    task: Literal["classify", "regress"],
    cleaning: Cleaning = _DEFAULT,
    test: Table | None = None,
    group: str | None = None,
    time: str | None = None,
) -> Cleaned:
    """Type the columns, and drop, group or set aside what would make the score wrong.

    In this order: cells that do not fit their modality become null, rows without target or input are rejected, inputs
    under several labels are set aside, repeated rows dropped, near duplicates grouped, classes of one row set aside.
    Rows of a given `test` part whose input also stands in training are left out of it. `group` and `time` name the
    columns of `split.group` and `split.time`. Raises DataError when nothing is left to learn.
    """
    extra = [name for name in (group, time) if name is not None]
    check_columns(table.rows.columns, [target, *(column.name for column in inputs)], where="data")
    check_columns(table.rows.columns, extra, where="split")
    typed = _type_rows(table, target, inputs, task, cleaning.max_rejected, time=time)
    train = _as_dataset(typed, target, inputs, task, groups=given_groups(typed.rows, table, group))
    keys = input_keys(train.rows, inputs)
    kept, findings = clean_rows(train, keys, cleaning)
    findings += tell_sampled(table)
    if test is None:
        return Cleaned(kept, None, typed.rejected, tuple(findings))
    check_columns(test.rows.columns, [target, *(column.name for column in inputs)], where="test")
    given = _type_rows(test, target, inputs, task, cleaning.max_rejected, time=None, labels=kept.labels)
    held, shared = leave_leaked_out(_as_dataset(given, target, inputs, task), train, keys)
    unseen = [name for name in given.rejected["reason"].to_list() if "not in the training part" in name]
    if unseen:
        message = f"{len(unseen):,} test rows have labels that never occur in training: they are left out"
        findings.append(Finding("unseen_label", "warning", target, message, {"rows": len(unseen)}))
    return Cleaned(kept, held, pl.concat([typed.rejected, given.rejected]), (*findings, *shared))


def tell_sampled(table: Table) -> list[Finding]:
    """Return a finding where the table is a sample of the rows that there were."""
    if not table.left_out:
        return []
    share = table.rows.height / (table.rows.height + table.left_out)
    message = f"the data is larger than memory: a random {share:.1%} of its rows are used"
    return [Finding("sampled", "warning", None, message, {"rows": table.rows.height, "left_out": table.left_out})]


@dataclass(frozen=True)
class _Typed:
    rows: pl.DataFrame
    target: Target
    rejected: pl.DataFrame


def _type_rows(
    table: Table,
    target: str,
    inputs: Sequence[Column],
    task: Literal["classify", "regress"],
    most: float,
    *,
    time: str | None,
    labels: Sequence[Label] | None = None,
) -> _Typed:
    """Return the usable rows with typed columns, their targets, and all that was rejected so far."""
    rows, rejects = type_inputs(table, inputs, most, time=time)
    read = read_target(table.rows[target], task, labels=labels)
    rejects += list_rejects(table, read.faults, target, list(read.reasons))
    blank = np.setdiff1d(np.flatnonzero(empty_rows(rows, inputs)), read.faults)
    rejects += list_rejects(table, blank, inputs[0].name, ["every input is missing"] * len(blank))
    unusable = replace(table, rejected=rejected_frame(r for r in rejects if r.column == target or "every" in r.reason))
    if labels is None:
        check_rejected(unusable, most, where=f"column {target}")
    keep = np.setdiff1d(np.arange(rows.height), np.concatenate([read.faults, blank]))
    if len(keep) == 0:
        raise DataError("no row has both a target and an input", where=f"column {target}", got=f"{rows.height:,} rows")
    kept = Target(read.y[keep], read.labels, read.faults, read.reasons)
    return _Typed(rows[keep], kept, pl.concat([table.rejected.cast(REJECTED), rejected_frame(rejects)]))  # type: ignore[arg-type]


def type_inputs(
    table: Table, inputs: Sequence[Column], most: float, *, time: str | None
) -> tuple[pl.DataFrame, list[Reject]]:
    """Return `ROW` and the typed inputs (and the column of `split.time`) of all rows, and the cells that did not fit.

    Raises DataError where more than `most` (a share) of a column's cells do not.
    """
    rejects: list[Reject] = []
    columns = [table.rows[ROW]]
    for column in inputs:
        raw = table.rows[column.name]
        cast = cast_column(raw, column.modality)
        _check_faults(cast.faults, raw, column, most)
        rejects += list_rejects(table, cast.faults, column.name, [cast.reason] * len(cast.faults))
        columns.append(cast.series)
    if time is not None and time not in {column.name for column in inputs}:
        columns.append(_time_column(table.rows[time]))
    return pl.DataFrame(columns), rejects


def list_rejects(table: Table, positions: np.ndarray, column: str, reasons: Sequence[str]) -> list[Reject]:
    """Return cells of a column that cannot be used, each with its place and reason."""
    cells = table.rows[column].gather(positions).to_list()
    numbers = table.rows[ROW].gather(positions).to_list()
    places = [locate(table, number) for number in numbers]
    return [
        Reject(file, record, column, reason, None if cell is None else str(cell))
        for (file, record), cell, reason in zip(places, cells, reasons, strict=True)
    ]


def _check_faults(faults: np.ndarray, raw: pl.Series, column: Column, most: float) -> None:
    filled = len(raw) - raw.null_count()
    if len(faults) <= most * filled:
        return
    shown = Counter(str(raw[int(position)])[:40] for position in faults).most_common(3)
    dated = column.modality == "date" and find_country_date(raw) is not None
    raise DataError(
        f"{len(faults):,} of {filled:,} cells of {column.name} are no {column.modality}",
        where=f"column {column.name}",
        expected=f"{column.modality}s in at least {1 - most:.0%} of the cells",
        got=", ".join(f"{cell!r} ({times} times)" for cell, times in shown),
        fix="write year, month and day in this order, such as 2024-03-05: other orders hang on the country"
        if dated
        else f"set inputs: {{{column.name}: category}} or text, or add the marker to reading.missing",
    )


def _time_column(series: pl.Series) -> pl.Series:
    dates = cast_dates(series)
    return dates.series if len(dates.faults) * 2 <= len(series) else cast_numbers(series).series


def given_groups(rows: pl.DataFrame, table: Table, group: str | None) -> np.ndarray | None:
    """Return the groups that the column `group` names, `[n]` int64, or None without it."""
    if group is None:
        return None
    of_row = table.rows.select(ROW, pl.col(group).alias("group"))
    joined = rows.select(ROW).join(of_row, on=ROW, how="left", maintain_order="left")
    # A missing group is a group of its own.
    own = pl.when(pl.col("group").is_null()).then(pl.col(ROW)).otherwise(None)
    codes = joined.select(pl.struct("group", own.alias("own")).rank("dense")).to_series()
    return codes.to_numpy().astype(np.int64)


def _as_dataset(
    typed: _Typed,
    target: str,
    inputs: tuple[Column, ...],
    task: Literal["classify", "regress"],
    *,
    groups: np.ndarray | None = None,
) -> Dataset:
    own = np.arange(typed.rows.height, dtype=np.int64) if groups is None else groups
    labels, y = typed.target.labels, typed.target.y
    return Dataset(typed.rows, inputs, target, task, labels, y, own, None, no_changes())


def clean_rows(dataset: Dataset, keys: np.ndarray, cleaning: Cleaning) -> tuple[Dataset, list[Finding]]:
    """Drop, group or set aside typed rows, `keys` `[n]` being equal where all inputs are; return what was noticed."""
    findings: list[Finding] = []
    if is_rich(dataset) and cleaning.contradictions == "set_aside" and dataset.task == "classify":
        dataset, keys = set_contradictions_aside(dataset, keys, findings)
    dataset, keys = treat_repeats(dataset, keys, cleaning, findings)
    dataset = set_rare_classes_aside(dataset, findings)
    return replace(dataset, groups=dense(dataset.groups)), findings


def set_contradictions_aside(dataset: Dataset, keys: np.ndarray, findings: list[Finding]) -> tuple[Dataset, np.ndarray]:
    """Set aside the rows whose input stands under several labels; `findings` grows."""
    _, inverse = np.unique(keys, return_inverse=True)
    low = np.full(inverse.max() + 1, np.iinfo(np.int64).max)
    high = np.full(inverse.max() + 1, -1)
    np.minimum.at(low, inverse, dataset.y)
    np.maximum.at(high, inverse, dataset.y)
    odd = low != high
    bad = np.flatnonzero(odd[inverse])
    if len(bad) == 0:
        return dataset, keys
    numbers = dataset.rows[ROW].to_numpy()
    partners = _partners(inverse[bad], dataset.y[bad], numbers[bad])
    reasons = [
        f"the same input stands under {dataset.labels[low[inverse[i]]]!r} and {dataset.labels[high[inverse[i]]]!r}"
        for i in bad
    ]
    count = int(odd.sum())
    message = f"{count:,} inputs stand under different labels ({len(bad):,} rows): set aside"
    findings.append(Finding("contradiction", "warning", None, message, {"inputs": count, "rows": len(bad)}))
    keep = np.flatnonzero(~odd[inverse])
    if len(keep) == 0:
        raise DataError("every input stands under different labels", where=f"column {dataset.target}")
    return take(dataset, keep, list_changes(numbers[bad], "contradiction", reasons, partners)), keys[keep]


def _partners(groups: np.ndarray, y: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return for every row the number of a row of its group that has another label; every group has at least two."""
    order = np.lexsort((y, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    lowest = order[starts]
    highest = order[np.concatenate([starts[1:], [len(order)]]) - 1]
    _, of_row = np.unique(groups, return_inverse=True)
    first, last = lowest[of_row], highest[of_row]
    result: np.ndarray = np.where(y == y[first], numbers[last], numbers[first])
    return result


def set_rare_classes_aside(dataset: Dataset, findings: list[Finding]) -> Dataset:
    """Set aside the classes of one row, which no split can both train and test; renumber the labels."""
    if dataset.task != "classify" or not dataset.labels:
        return dataset
    counts = np.bincount(dataset.y, minlength=len(dataset.labels))
    rare = np.flatnonzero(counts < 2)
    if len(rare) == 0:
        return dataset
    left = np.flatnonzero(counts >= 2)
    names = ", ".join(repr(dataset.labels[i]) for i in rare[:10])
    if len(left) < 2:
        raise DataError(
            "fewer than two classes have two rows or more",
            where=f"column {dataset.target}",
            expected="at least two rows of at least two classes, repeated and contradictory rows not counted",
            got=", ".join(f"{dataset.labels[i]!r}: {counts[i]}" for i in range(min(10, len(counts)))),
            fix="add rows of the classes that are missing",
        )
    bad = np.flatnonzero(np.isin(dataset.y, rare))
    message = f"{len(rare)} class(es) with fewer than two rows are set aside: {names}"
    findings.append(Finding("rare_class", "warning", dataset.target, message, {"classes": len(rare)}))
    changes = list_changes(dataset.rows[ROW].to_numpy()[bad], "rare_class", "the only row of its class")
    kept = take(dataset, np.setdiff1d(np.arange(len(dataset)), bad), changes)
    labels = tuple(dataset.labels[i] for i in left)
    return replace(kept, labels=labels, y=np.searchsorted(left, kept.y).astype(np.int64))


def leave_leaked_out(test: Dataset, train: Dataset, train_keys: np.ndarray) -> tuple[Dataset, list[Finding]]:
    """Leave the test rows out whose input was also read for training."""
    keys = input_keys(test.rows, test.inputs)
    if not is_rich(test) and repeats_are_natural(test, keys):
        return test, []
    order = np.argsort(train_keys, kind="stable")
    place = np.minimum(np.searchsorted(train_keys[order], keys), len(order) - 1)
    leaked = np.flatnonzero(train_keys[order][place] == keys)
    if len(leaked) == 0:
        return test, []
    shared = int(np.isin(train_keys, keys).sum())
    if len(leaked) == len(test):
        raise DataError(
            "every row of the test part also stands in the training part",
            where="test:",
            expected="rows that training does not see",
            fix="name another test file, or leave test: out to have one split off",
        )
    partners = train.rows[ROW].to_numpy()[order[place[leaked]]]
    reason = "the same input stands in the training part"
    changes = list_changes(test.rows[ROW].to_numpy()[leaked], "leaked", reason, partners)
    message = (
        f"{len(leaked):,} of {len(test):,} test rows also stand in training ({shared:,} rows there): "
        "they are left out, so that the score is honest"
    )
    finding = Finding("leaked", "warning", None, message, {"test_rows": len(leaked), "train_rows": shared})
    return take(test, np.setdiff1d(np.arange(len(test)), leaked), changes), [finding]
