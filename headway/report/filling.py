"""From the tables of a run to the plain data of a report."""

from __future__ import annotations

from typing import Literal

import polars as pl

from headway.data.dataset import ROW, Column
from headway.data.profiling import ColumnProfile, Profile
from headway.report.content import Change, ColumnFacts, LabelError
from headway.report.figures import write_number, write_share
from headway.report.translation import Lang, translate
from headway.report.words import Say, speak

EXAMPLES = 3


def fill_columns(profile: Profile, lang: Lang) -> tuple[ColumnFacts, ...]:
    """Return the facts of the target and of every other column, with a note on what its values are like."""
    targets = (_fill_column(each, "target", lang) for each in profile.targets or (profile.target,))
    others = (_fill_column(each, "input" if each.used else "ignored", lang) for each in profile.columns)
    return (*targets, *others)


def fill_changes(
    rows: pl.DataFrame, inputs: tuple[Column, ...], changes: pl.DataFrame, rejected: pl.DataFrame
) -> tuple[Change, ...]:
    """Return the changed and rejected rows per step and reason, the commonest first, with up to three examples.

    `rows` are those that were read (with `ROW`), `changes` as in `Dataset`, `rejected` as in `Table`.
    """
    kept = {column.name for column in inputs}
    cells = rows.select([ROW, *(name for name in rows.columns if name in kept)])
    counted = changes.group_by("step", "reason", maintain_order=True).agg(pl.len(), pl.col(ROW).head(EXAMPLES))
    found = []
    for step, reason, count, numbers in counted.iter_rows():
        examples = cells.filter(pl.col(ROW).is_in(numbers)).drop(ROW).iter_rows(named=True)
        found.append(Change(step, reason, count, tuple(examples)))
    refused = rejected.group_by("reason", maintain_order=True).agg(
        pl.len(), pl.struct(_name_of("file"), "row", "column", _name_of("value")).head(EXAMPLES)
    )
    found += [Change("rejected", reason, count, tuple(some)) for reason, count, some in refused.iter_rows()]
    return tuple(sorted(found, key=lambda change: -change.rows))


def _name_of(column: str) -> pl.Expr:
    """Return paths without their folders, which are nobody's business; other cells stay as they are."""
    whole = pl.col(column)
    return (
        pl.when(whole.str.starts_with("/") | whole.str.contains(r"^[A-Za-z]:\\"))
        .then(whole.str.extract(r"([^/\\]*)$"))
        .otherwise(whole)
        .alias(column)
    )


def fill_label_errors(rows: pl.DataFrame, inputs: tuple[Column, ...], errors: pl.DataFrame) -> tuple[LabelError, ...]:
    """Return the suspected labels with their rows; `errors` as `find_label_errors` gives them."""
    names = [column.name for column in inputs if column.name in rows.columns]
    cells = errors.select(ROW).join(rows.select(ROW, *names), on=ROW, how="left", maintain_order="left").drop(ROW)
    return tuple(
        LabelError(error[ROW], cell, error["label"], error["suggested"], error["confidence"])
        for error, cell in zip(errors.iter_rows(named=True), cells.iter_rows(named=True), strict=True)
    )


def _fill_column(profile: ColumnProfile, role: Literal["input", "target", "ignored"], lang: Lang) -> ColumnFacts:
    return ColumnFacts(
        name=profile.name,
        modality=profile.modality or "",
        missing=profile.missing / max(profile.rows, 1),
        distinct=profile.distinct,
        note=translate(profile.reason, lang) if role == "ignored" else _note(profile, speak(lang)),
        role=role,
    )


def _note(profile: ColumnProfile, say: Say) -> str:
    """Return what the values are like: the spread of numbers, dates and lengths, the commonest categories."""
    middle = [profile.quantiles[key] for key in ("0.05", "0.5", "0.95") if key in profile.quantiles]
    if profile.modality == "text" and len(middle) == 3:
        low, median, high = (f"{value:,.0f}" for value in middle)
        languages = [
            f"{say(f'language_{language}')} {write_share(share)}"
            for language, share in profile.languages.items()
            if share > 0
        ]
        lengths = say("note_lengths", low=low, median=median, high=high)
        return say("comma").join([lengths, *languages])
    if profile.modality == "number" and len(middle) == 3:
        low, median, high = (write_number(value) for value in middle)
        return say("note_numbers", low=low, median=median, high=high)
    if profile.modality == "date" and profile.range is not None:
        return " – ".join(profile.range)
    pairs = profile.sizes if profile.modality == "image" else profile.top
    return say("comma").join(f"{value[:40]} ({count:,})" for value, count in pairs[:4])
