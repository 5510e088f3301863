"""From a raw table to a clean data set of several targets; what one target lacks, the row still teaches the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.data.changes import no_changes, take, take_changes
from headway.data.cleaning import (
    Cleaned,
    given_groups,
    leave_leaked_out,
    list_rejects,
    set_contradictions_aside,
    set_rare_classes_aside,
    tell_sampled,
    type_inputs,
)
from headway.data.dataset import ROW, Column, Dataset, Finding, Table
from headway.data.inference import OneTask, check_columns
from headway.data.keys import empty_rows, input_keys
from headway.data.reading import check_rejected
from headway.data.repeats import dense, is_rich, treat_repeats
from headway.data.sources.part import REJECTED, rejected_frame
from headway.data.targets import Target as ReadTarget
from headway.data.targets import read_target
from headway.errors import DataError, Problem, ProjectError
from headway.project.schema import Cleaning
from headway.runtime.manifest import Target

# A change that leaves its row where it is: the cell of one target no longer counts.
BLANKED = "target_blanked"
# A target that fewer rows have cannot be learnt and judged.
FEWEST_ROWS = 10
_DEFAULT = Cleaning()


def clean_several(
    table: Table,
    *,
    targets: Mapping[str, OneTask],
    inputs: tuple[Column, ...],
    cleaning: Cleaning = _DEFAULT,
    test: Table | None = None,
    group: str | None = None,
    time: str | None = None,
) -> Cleaned:
    """Do for several targets what `headway.data.cleaning.clean` does for one.

    A row stays as long as it has an input and one target. What would cost a row its place there (an input that stands
    under several labels, a class of one row) costs only the cell of that target here. Raises `DataError`, or
    `ProjectError` with all that is wrong, where a target cannot be learnt.
    """
    extra = [name for name in (group, time) if name is not None]
    check_columns(table.rows.columns, extra, where="split")
    typed = _typed(table, targets, inputs, cleaning.max_rejected, time=time)
    own = given_groups(typed.rows, table, group)
    train = _dataset(typed, targets, inputs, np.arange(typed.rows.height, dtype=np.int64) if own is None else own)
    keys = input_keys(train.rows, inputs)
    kept, findings = _clean_train(train, keys, cleaning)
    findings += [*tell_sampled(table), *_tell_missing(kept)]
    if test is None:
        return Cleaned(kept, None, typed.rejected, tuple(findings))
    check_columns(test.rows.columns, [*targets, *(column.name for column in inputs)], where="test")
    given = _typed(test, targets, inputs, cleaning.max_rejected, time=None, known=kept.targets)
    held = _dataset(given, targets, inputs, np.arange(given.rows.height, dtype=np.int64))
    held, shared = leave_leaked_out(held, train, keys)
    unseen = [name for name in given.rejected["reason"].to_list() if "not in the training part" in name]
    if unseen:
        message = f"{len(unseen):,} labels of test rows never occur in training: they are left out"
        findings.append(Finding("unseen_label", "warning", None, message, {"cells": len(unseen)}))
    return Cleaned(kept, held, pl.concat([typed.rejected, given.rejected]), (*findings, *shared))


@dataclass(frozen=True)
class _Typed:
    """Usable rows with typed columns, their targets `y` `[n, targets]`, the labels of each, and what was rejected."""

    rows: pl.DataFrame
    y: np.ndarray
    labels: tuple[tuple[str | int | float | bool, ...], ...]
    rejected: pl.DataFrame


def _typed(
    table: Table,
    targets: Mapping[str, OneTask],
    inputs: Sequence[Column],
    most: float,
    *,
    time: str | None,
    known: Sequence[Target] = (),
) -> _Typed:
    rows, rejects = type_inputs(table, inputs, most, time=time)
    read = _read_targets(table, targets, known)
    for name, target in zip(targets, read, strict=True):
        odd = [place for place, reason in enumerate(target.reasons) if reason != "the target is missing"]
        if not known:
            _check_odd(table.rows[name], target, odd, most)
        rejects += list_rejects(table, target.faults[odd], name, [target.reasons[place] for place in odd])
    y = np.stack([_as_column(target) for target in read], axis=1)
    names = ", ".join(targets)
    blank = np.flatnonzero(np.isnan(y).all(axis=1))
    empty = np.setdiff1d(np.flatnonzero(empty_rows(rows, inputs)), blank)
    lost = list_rejects(table, blank, next(iter(targets)), ["every target is missing"] * len(blank))
    lost += list_rejects(table, empty, inputs[0].name, ["every input is missing"] * len(empty))
    if not known:
        check_rejected(replace(table, rejected=rejected_frame(lost)), most, where=f"columns {names}")
    keep = np.setdiff1d(np.arange(rows.height), np.concatenate([blank, empty]))
    if len(keep) == 0:
        raise DataError("no row has both a target and an input", where=f"columns {names}", got=f"{rows.height:,} rows")
    rejected = pl.concat([table.rejected.cast(REJECTED), rejected_frame([*rejects, *lost])])  # type: ignore[arg-type]
    return _Typed(rows[keep], y[keep], tuple(target.labels for target in read), rejected)


def _read_targets(table: Table, targets: Mapping[str, OneTask], known: Sequence[Target]) -> list[ReadTarget]:
    """Return all targets; raises with everything that is wrong with any of them."""
    labels = {target.name: target.labels for target in known}
    read: list[ReadTarget] = []
    problems: list[Problem] = []
    for name, task in targets.items():
        try:
            read.append(read_target(table.rows[name], task, labels=labels.get(name)))
        except DataError as error:
            problems += error.problems
    if problems:
        raise ProjectError(tuple(problems))
    return read


def _as_column(target: ReadTarget) -> np.ndarray:
    """Return a target as float32 `[n]`, NaN where a row has none."""
    column = target.y.astype(np.float32)
    column[target.faults] = np.nan
    return column


def _check_odd(series: pl.Series, target: ReadTarget, odd: Sequence[int], most: float) -> None:
    """Raise where too many cells of a target are there and cannot be used."""
    filled = len(series) - series.null_count()
    if len(odd) <= most * filled:
        return
    shown = [repr(str(cell)[:40]) for cell in series.gather(target.faults[odd[:3]]).to_list()]
    raise DataError(
        f"{len(odd):,} of {filled:,} cells of the target {series.name} cannot be used",
        where=f"column {series.name}",
        expected=f"numbers in at least {1 - most:.0%} of the cells",
        got=", ".join(shown),
        fix=f"set targets: {{{series.name}: classify}}, or add the marker to reading.missing",
    )


def _dataset(typed: _Typed, targets: Mapping[str, OneTask], inputs: tuple[Column, ...], groups: np.ndarray) -> Dataset:
    described = tuple(
        Target(name, task, labels) for (name, task), labels in zip(targets.items(), typed.labels, strict=True)
    )
    return Dataset(
        typed.rows,
        inputs,
        ", ".join(targets),
        "several",
        (),
        typed.y,
        groups,
        None,
        no_changes(),
        targets=described,
    )


def _clean_train(dataset: Dataset, keys: np.ndarray, cleaning: Cleaning) -> tuple[Dataset, list[Finding]]:
    findings: list[Finding] = []
    if is_rich(dataset) and cleaning.contradictions == "set_aside":
        for place in range(len(dataset.targets)):
            dataset, keys = _without_contradictions(dataset, keys, place, findings)
    dataset, keys = treat_repeats(dataset, keys, cleaning, findings)
    for place in range(len(dataset.targets)):
        dataset = _without_rare_classes(dataset, place, findings)
    _check_enough(dataset)
    return replace(dataset, groups=dense(dataset.groups)), findings


def _alone(dataset: Dataset, place: int) -> tuple[np.ndarray, Dataset]:
    """Return the positions of the rows that have a target, and these rows as if it were the only one."""
    target = dataset.targets[place]
    known = np.flatnonzero(~np.isnan(dataset.y[:, place]))
    rows = take(replace(dataset, changes=no_changes()), known)
    y = rows.y[:, place].astype(np.int64 if target.task == "classify" else np.float32)
    return known, replace(rows, target=target.name, task=target.task, labels=target.labels, y=y, targets=())


def _without_contradictions(
    dataset: Dataset, keys: np.ndarray, place: int, findings: list[Finding]
) -> tuple[Dataset, np.ndarray]:
    """Blank a target where the same input stands under several labels of it; drop what has no target left."""
    known, alone = _alone(dataset, place)
    if alone.task != "classify" or len(known) == 0:
        return dataset, keys
    kept, _ = set_contradictions_aside(alone, keys[known], [])
    bad = known[~np.isin(alone.rows[ROW].to_numpy(), kept.rows[ROW].to_numpy())]
    if len(bad) == 0:
        return dataset, keys
    inputs = len(np.unique(keys[bad]))
    message = f"{alone.target}: {inputs:,} inputs stand under different labels ({len(bad):,} rows), which do not count"
    findings.append(Finding("contradiction", "warning", alone.target, message, {"inputs": inputs, "rows": len(bad)}))
    y = dataset.y.copy()
    y[bad, place] = np.nan
    return _blanked(dataset, y, kept, "contradiction", keys)


def _without_rare_classes(dataset: Dataset, place: int, findings: list[Finding]) -> Dataset:
    """Blank a target where its class has one row only, and renumber its labels."""
    known, alone = _alone(dataset, place)
    found: list[Finding] = []
    kept = set_rare_classes_aside(alone, found)
    findings += [replace(each, message=f"{alone.target}: {each.message}") for each in found]
    if len(kept.labels) == len(alone.labels):
        return dataset
    number = {label: index for index, label in enumerate(kept.labels)}
    new = np.array([number.get(label, np.nan) for label in alone.labels], np.float32)
    y = dataset.y.copy()
    y[known, place] = new[alone.y]
    targets = list(dataset.targets)
    targets[place] = replace(targets[place], labels=kept.labels)
    keys = np.arange(len(dataset))
    return replace(_blanked(dataset, y, kept, "rare_class", keys)[0], targets=tuple(targets))


def _blanked(dataset: Dataset, y: np.ndarray, kept: Dataset, step: str, keys: np.ndarray) -> tuple[Dataset, np.ndarray]:
    """Return the data set with targets `y`; `kept.changes` says why cells of it were blanked.

    A row without any target left is dropped by `step`; another keeps its place, and its change says so.
    """
    empty = np.isnan(y).all(axis=1)
    gone = dataset.rows[ROW].filter(pl.Series(empty))
    is_gone = pl.col(ROW).is_in(gone.implode())
    told = pl.format("{}: {}", pl.lit(kept.target), pl.col("reason"))
    changes = kept.changes.with_columns(
        step=pl.when(is_gone).then(pl.lit(step)).otherwise(pl.lit(BLANKED)), reason=told
    ).cast(no_changes().schema)
    changed = take_changes(replace(dataset, y=y), changes)
    return (take(changed, np.flatnonzero(~empty)), keys[~empty]) if empty.any() else (changed, keys)


def _check_enough(dataset: Dataset) -> None:
    """Raise with all targets that too few rows have."""
    counts = (~np.isnan(dataset.y)).sum(axis=0).tolist()
    problems = tuple(
        Problem(
            f"the target {target.name} has too few rows",
            where=f"column {target.name}",
            expected=f"at least {FEWEST_ROWS} rows that have it",
            got=f"{count}",
            fix="add rows, or leave it out of targets:",
        )
        for target, count in zip(dataset.targets, counts, strict=True)
        if count < FEWEST_ROWS
    )
    if problems:
        raise ProjectError(problems)


def _tell_missing(dataset: Dataset) -> list[Finding]:
    """Return a finding for each target that some rows lack."""
    missing = np.isnan(dataset.y).sum(axis=0).tolist()
    return [
        Finding(
            "target_missing",
            "info",
            target.name,
            f"{target.name} is missing in {count:,} of {len(dataset):,} rows, which teach the other targets",
            {"rows": count},
        )
        for target, count in zip(dataset.targets, missing, strict=True)
        if count
    ]


__all__ = ["BLANKED", "FEWEST_ROWS", "clean_several"]
