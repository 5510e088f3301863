"""What the columns are and what is to be predicted, guessed from the cells."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import polars as pl

from headway.data.casting import cast_dates, cast_numbers, find_country_date
from headway.data.dataset import ROW, Column, Finding, ModalityName, Table
from headway.data.leaks import Leak, find_leak
from headway.data.sources.images import IMAGE_SUFFIXES
from headway.errors import DataError, Problem, ProjectError
from headway.project.units import write_count

OneTask = Literal["classify", "regress"]
_SAMPLE = 20_000
# This share of the cells must be numbers (dates) for a column of them; the others are rejected.
_MOSTLY = 0.9
_FEW_VALUES = 20
_NAMED_ID = re.compile(
    r"(?i)(^|[_\-\s.])(id|uid|uuid|guid|key|index|idx|no|编号|序号)$|[a-z]I[Dd]$|编号$|序号$|^id$|^Unnamed"
)
_NAMED_CODE = re.compile(r"(?i)(zip|post(al)?_?code|phone|mobile|tel$|code$|邮编|电话|手机|代码)")
_CODE = re.compile(r"[A-Za-z0-9_\-:./@+=]+")
_WHOLE = re.compile(r"-?\d+(\.0+)?")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_COUNTRY_DATES = "end with the year and are read as words; written as 2024-03-05 they are read as dates"
# Columns that `headway label` adds to rows for people to read: nothing to learn from.
LABELLING = ("headway_confidence", "headway_rank", "headway_why")


@dataclass(frozen=True)
class Guess:
    """What a column seems to be, why, and whether it is used as an input."""

    column: str
    modality: ModalityName | None
    reason: str
    use: bool


@dataclass(frozen=True)
class Inference:
    """The input columns in the order of the file, the task, what was noticed, and one guess per column.

    `targets`: of several targets the task of each.
    """

    inputs: tuple[Column, ...]
    task: Literal["classify", "regress", "generate", "several"]
    findings: tuple[Finding, ...]
    guesses: tuple[Guess, ...]
    targets: Mapping[str, OneTask] = field(default_factory=dict)


def infer(
    table: Table,
    target: str,
    *,
    inputs: Mapping[str, ModalityName] | None = None,
    ignore: Collection[str] = (),
    task: Literal["classify", "regress"] | None = None,
) -> Inference:
    """Guess the modality of every column and the task; what is given is taken as it is.

    Identifiers, constants and columns that give the target away are left out, with a reason and a finding, unless
    `inputs` names them. Raises ProjectError with all missing columns, DataError when no input is left.
    """
    _check_wishes(table, {"target": [target], "inputs": inputs or {}, "ignore": ignore})
    kinds, guesses = _guess(table, {target: task}, inputs, ignore)
    return Inference(_used(guesses), kinds[target], () if inputs is not None else _findings(guesses), guesses)


def infer_several(
    table: Table,
    targets: Mapping[str, OneTask | None],
    *,
    inputs: Mapping[str, ModalityName] | None = None,
    ignore: Collection[str] = (),
) -> Inference:
    """Guess what `infer` guesses, and the task of each target; raises ProjectError with all missing columns."""
    _check_wishes(table, {"targets": targets, "inputs": inputs or {}, "ignore": ignore})
    kinds, guesses = _guess(table, targets, inputs, ignore)
    findings = () if inputs is not None else _findings(guesses)
    return Inference(_used(guesses), "several", findings, guesses, kinds)


def _check_wishes(table: Table, wishes: Mapping[str, Collection[str]]) -> None:
    """Raise ProjectError with every column that a key of the project names and the table has not."""
    names = [name for name in table.rows.columns if name != ROW]
    problems = tuple(
        missing_column(names, name, where=key) for key, wanted in wishes.items() for name in wanted if name not in names
    )
    if problems:
        raise ProjectError(problems)


def _guess(
    table: Table,
    targets: Mapping[str, OneTask | None],
    inputs: Mapping[str, ModalityName] | None,
    ignore: Collection[str],
) -> tuple[dict[str, OneTask], tuple[Guess, ...]]:
    """Return the task of each target and a guess per column."""
    names = [name for name in table.rows.columns if name != ROW]
    rich = _is_rich(table.rows.drop(targets))
    kinds = {name: task or guess_task(table.rows[name], rich=rich) for name, task in targets.items()}
    if inputs is not None:
        return kinds, tuple(
            Guess(name, inputs[name], "as the project file says", use=True) for name in names if name in inputs
        )
    left_out = {*targets, *ignore, *LABELLING}
    guesses = tuple(guess_column(table.rows[name]) for name in names if name not in left_out)
    for target, kind in kinds.items():
        guesses = _judge_leaks(table.rows, target, kind, guesses)
    if not any(guess.use for guess in guesses):
        raise DataError(
            "no column is left to learn from",
            where=", ".join(table_files(table)),
            got="; ".join(f"{guess.column}: {guess.reason}" for guess in guesses) or "only the target",
            fix="name the inputs in the project file, such as inputs: {column: text}",
        )
    return kinds, guesses


def check_columns(names: Collection[str], wanted: Collection[str], *, where: str) -> None:
    """Raise DataError naming the first wanted column that is missing, with near misses; `where`: who wants it."""
    for name in wanted:
        if name not in names:
            problem = missing_column(names, name, where=where)
            raise DataError(problem.what, where=where, expected=problem.expected, got=problem.got, fix=problem.fix)


def missing_column(names: Collection[str], name: str, *, where: str) -> Problem:
    """Return what is wrong where a column is missing, with near misses."""
    known = [each for each in names if each != ROW]
    near = get_close_matches(name, known, n=1)
    return Problem(
        f"there is no column {name!r}",
        where,
        expected="one of " + ", ".join(known[:20]),
        got=name,
        fix=f"did you mean {near[0]}?" if near else "",
    )


def guess_task(target: pl.Series, *, rich: bool = False) -> Literal["classify", "regress"]:
    """Return "regress" for a target of many different numbers, else "classify".

    `rich`: texts or images are among the inputs, where many whole numbers are more likely codes of classes.
    """
    values = target.drop_nulls()
    if values.dtype == pl.Boolean or len(values) == 0:
        return "classify"
    numbers = cast_numbers(values)
    if len(numbers.faults) > len(values) * (1 - _MOSTLY):
        return "classify"
    found = numbers.series.drop_nulls()
    distinct = found.n_unique()
    whole = bool((found == found.round()).all())
    if not whole:
        return "regress" if distinct > 2 else "classify"
    if distinct <= _FEW_VALUES:
        return "classify" if distinct <= max(2, len(found) // 2) else "regress"
    codes = rich and distinct <= 1000 and len(found) >= 10 * distinct
    return "classify" if codes else "regress"


def is_to_be_written(target: pl.Series) -> bool:
    """Tell whether a target is text to be written rather than a label: sentences, nearly all of them different."""
    filled = target.drop_nulls()
    if len(filled) < _FEW_VALUES or filled.n_unique() < _MOSTLY * len(filled):
        return False
    return guess_column(target).modality == "text" and _is_prose(filled.cast(pl.String).head(2000).to_list())


def is_named_identifier(name: str) -> bool:
    """Tell whether a column's name says that it numbers or names its rows: `id`, `order_no`, `编号`."""
    return _NAMED_ID.search(name) is not None


def guess_column(series: pl.Series) -> Guess:
    """Return what one column seems to be."""
    name, filled = series.name, series.drop_nulls()
    if len(filled) == 0:
        return Guess(name, None, "empty in every row", use=False)
    distinct = filled.n_unique()
    if distinct == 1 and len(series) > 1 and filled.len() == len(series):
        return Guess(name, None, f"the same in every row ({str(filled[0])[:40]!r})", use=False)
    sample = filled if len(filled) <= _SAMPLE else filled.gather_every(len(filled) // _SAMPLE)
    if series.dtype == pl.Binary:
        return Guess(name, "image", "bytes of images", use=True)
    if series.dtype == pl.Boolean:
        return Guess(name, "category", "true or false", use=True)
    if series.dtype.is_temporal():
        return Guess(name, "date", "dates by type", use=True)
    guess = _guess_number(name, sample, filled, distinct) or _guess_date(name, sample)
    return guess or _tell_of_dates(_guess_text(name, sample.cast(pl.String), len(filled), distinct), sample)


def table_files(table: Table) -> tuple[str, ...]:
    """Return the files a table came from."""
    return tuple(origin.file for origin in table.origins)


def _guess_number(name: str, sample: pl.Series, filled: pl.Series, distinct: int) -> Guess | None:
    cast = cast_numbers(sample)
    if len(cast.faults) > (1 - _MOSTLY) * len(sample):
        return None
    texts = sample.cast(pl.String).str.strip_chars()
    numbers = cast.series.drop_nulls()
    whole = bool((numbers == numbers.round()).all())
    if not whole:
        return Guess(name, "number", "decimal numbers", use=True)
    if _spells_dates(texts):
        return Guess(name, "date", "whole numbers that spell year, month and day", use=True)
    return _guess_whole_number(name, texts, filled, distinct)


def _guess_whole_number(name: str, texts: pl.Series, filled: pl.Series, distinct: int) -> Guess:
    numbers = cast_numbers(texts).series.drop_nulls()
    unique = distinct == len(filled)
    if unique and len(filled) >= 20 and (_NAMED_ID.search(name) or _counts_up(filled)):
        return Guess(name, None, "identifier: a different whole number in every row", use=False)
    if texts.str.contains(r"^0\d").any():
        return Guess(name, "category", "digits with leading zeros: a code", use=True)
    if (_NAMED_ID.search(name) or _NAMED_CODE.search(name)) and distinct > 2:
        return Guess(name, "category", f"a code by its name; {distinct:,} values that recur", use=True)
    span = int(numbers.max()) - int(numbers.min()) + 1  # type: ignore[arg-type]
    if 2 < distinct <= 10 and span > distinct + 1 and len(filled) >= 20 * distinct:
        return Guess(name, "category", f"{distinct} whole numbers with gaps between them: codes", use=True)
    return Guess(name, "number", f"whole numbers, {distinct:,} different ones", use=True)


def _spells_dates(texts: pl.Series) -> bool:
    """Tell whether eight digits each are a year from 1800 to 2199, a month and a day, in 95% of the cells."""
    shape = texts.str.contains(r"^(1[89]|2[01])\d\d[01]\d[0-3]\d$")
    return shape.sum() >= 0.95 * len(texts) and len(cast_dates(texts).faults) <= 0.05 * len(texts)


def _counts_up(filled: pl.Series) -> bool:
    """Tell whether the values are consecutive whole numbers."""
    numbers = cast_numbers(filled).series
    low, high = numbers.min(), numbers.max()
    return isinstance(low, float) and isinstance(high, float) and high - low + 1 == len(filled)


def _guess_date(name: str, sample: pl.Series) -> Guess | None:
    if sample.dtype != pl.String:
        return None
    head = sample.head(200)
    if len(cast_dates(head).faults) > (1 - _MOSTLY) * len(head):
        return None
    if len(cast_dates(sample).faults) > (1 - _MOSTLY) * len(sample):
        return None
    return Guess(name, "date", f"dates such as {sample[0]!r}", use=True)


def _tell_of_dates(guess: Guess, sample: pl.Series) -> Guess:
    """Return a guess with what is to be done where a column of words holds dates that cannot be read as such."""
    example = find_country_date(sample)
    return guess if example is None else replace(guess, reason=f"dates such as {example!r} {_COUNTRY_DATES}")


def _guess_text(name: str, sample: pl.Series, filled: int, distinct: int) -> Guess:
    head = sample.head(2000).to_list()
    if all(Path(value).suffix.lower() in IMAGE_SUFFIXES for value in head[:50]) and Path(head[0]).is_file():
        return Guess(name, "image", "paths of image files", use=True)
    return _guess_words(name, head, filled, distinct)


def _guess_words(name: str, head: list[str], filled: int, distinct: int) -> Guess:
    length, chinese = _measure(head)
    recurs = filled / distinct
    language = "Chinese text" if chinese > length * 0.3 else "text"
    if (distinct <= _FEW_VALUES and recurs >= 2) or recurs >= 10:
        return Guess(
            name, "category", f"{write_count(distinct, 'value')}, on average {recurs:,.0f} times each", use=True
        )
    coded = all(_CODE.fullmatch(value) for value in head) and any(map(str.isdigit, "".join(head[:20])))
    prose = _is_prose(head)
    if distinct == filled and filled >= 20 and (coded or (_NAMED_ID.search(name) and not prose)):
        return Guess(name, None, "identifier: a different code in every row", use=False)
    if prose:
        return Guess(name, "text", f"{language}, {length:.0f} characters on average", use=True)
    if recurs >= 1.5:
        return Guess(name, "category", f"{distinct:,} short values, on average {recurs:,.1f} times each", use=True)
    return Guess(name, "text", f"short {language}, mostly different in every row", use=True)


def _is_prose(texts: Sequence[str]) -> bool:
    """Tell whether texts are more than words: three of them on average, four Chinese characters, or many letters."""
    length, chinese = _measure(texts)
    return chinese >= 4 or length >= 40 or sum(len(text.split()) for text in texts) >= 3 * len(texts)


def _measure(texts: Sequence[str]) -> tuple[float, float]:
    """Return how many characters texts have on average, and how many of them are Chinese."""
    chinese = sum(len(_CJK.findall(text)) for text in texts)
    return sum(map(len, texts)) / len(texts), chinese / len(texts)


def _is_rich(rows: pl.DataFrame) -> bool:
    """Tell whether a column looks like text or images."""
    names = [name for name, kind in rows.schema.items() if kind in (pl.String, pl.Binary)]
    return any(guess_column(rows[name].head(2000)).modality in ("text", "image") for name in names)


def _judge_leaks(rows: pl.DataFrame, target: str, task: str, guesses: tuple[Guess, ...]) -> tuple[Guess, ...]:
    """Leave out the columns that give the target away, unless nothing else is left."""
    leaks = {
        guess.column: leak
        for guess in guesses
        if guess.use and (leak := find_leak(rows[guess.column], rows[target], guess.modality, task)) is not None
    }
    others = [guess for guess in guesses if guess.use and guess.column not in leaks]
    return tuple(_with_leak(guess, leaks.get(guess.column), alone=not others) for guess in guesses)


def _with_leak(guess: Guess, leak: Leak | None, *, alone: bool) -> Guess:
    if leak is None:
        return guess
    use = alone or not leak.certain
    return Guess(guess.column, guess.modality, f"suspected leak: {leak.reason}" + (" (kept)" if use else ""), use=use)


def _used(guesses: tuple[Guess, ...]) -> tuple[Column, ...]:
    return tuple(Column(guess.column, guess.modality) for guess in guesses if guess.use and guess.modality)


def _findings(guesses: tuple[Guess, ...]) -> tuple[Finding, ...]:
    findings = []
    for guess in guesses:
        if guess.reason.startswith("suspected leak"):
            findings.append(Finding("leak", "warning", guess.column, f"{guess.column}: {guess.reason}"))
        elif guess.reason.endswith(_COUNTRY_DATES):
            findings.append(Finding("date_order", "warning", guess.column, f"{guess.column}: {guess.reason}"))
        elif not guess.use:
            code = "identifier" if guess.reason.startswith("identifier") else "constant"
            findings.append(Finding(code, "info", guess.column, f"{guess.column} is left out: {guess.reason}"))
    return tuple(findings)
