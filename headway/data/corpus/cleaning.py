"""From texts as read to texts to learn from; what is left out is kept with its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.changes import list_changes, no_changes, take
from headway.data.cleaning import Cleaned
from headway.data.corpus.overlap import find_shared_spans
from headway.data.corpus.reading import PROMPT, TEXT, Corpus
from headway.data.dataset import ROW, Dataset, Finding
from headway.data.keys import input_keys
from headway.data.reading import check_rejected, locate
from headway.data.repeats import merge_groups, treat_near_duplicates
from headway.data.sources.part import Reject, rejected_frame
from headway.errors import DataError
from headway.project.schema import Cleaning

# A language needs this much text to show itself; below, there is nothing to hold back for a test either.
FEWEST_CHARACTERS, FEWEST_ROWS = 200, 5
# A piece of a running text may repeat by itself ("Enter the King."); a long one is a copy.
LONG = 200


def clean_corpus(corpus: Corpus, cleaning: Cleaning, *, test: Corpus | None = None) -> Cleaned:
    """Reject empty texts, drop repeated ones, group nearly equal ones and those with one prompt; see `clean`.

    Texts of a given `test` part that also stand in training, or share a long passage with it, are left out of it.
    Raises `DataError` where too little is left to learn from.
    """
    typed, rejected = _usable(corpus)
    check_rejected(replace(corpus.table, rejected=rejected), cleaning.max_rejected, where="data")
    train = _as_dataset(typed, corpus)
    _check_size(train)
    findings: list[Finding] = []
    kept = _without_copies(train, cleaning, findings)
    if corpus.form == "answers":
        kept = replace(kept, groups=merge_groups(kept.groups, input_keys(kept.rows, kept.inputs[:1])))
    if corpus.form != "stream" and cleaning.near_duplicates != "off":
        keys = input_keys(kept.rows, kept.inputs)
        drop = cleaning.near_duplicates == "drop"
        kept, _ = treat_near_duplicates(kept, keys, findings, drop=drop)
    _check_size(kept)
    if test is None:
        return Cleaned(kept, None, rejected, tuple(findings))
    rows, more = _usable(test)
    held = _as_dataset(rows, test)
    if held.inputs != kept.inputs:
        raise DataError(
            "the test part is of another kind than the training part",
            where="test",
            expected=", ".join(column.name for column in kept.inputs),
            got=", ".join(column.name for column in held.inputs),
        )
    return Cleaned(kept, _without_leaks(held, train, findings), pl.concat([rejected, more]), tuple(findings))


def _usable(corpus: Corpus) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with text, and all that was rejected so far."""
    rows = corpus.table.rows
    blank = rows[TEXT].str.strip_chars().fill_null("") == ""
    if corpus.form == "stream":
        return rows.with_columns(pl.col(TEXT).fill_null("")), corpus.table.rejected
    words = "the answer is empty" if PROMPT in rows.columns else "the text is empty"
    rejects = []
    for number, cell in rows.filter(blank).select(ROW, TEXT).iter_rows():
        file, record = locate(corpus.table, number)
        rejects.append(Reject(file, record, TEXT, words, cell))
    return rows.filter(~blank), pl.concat([corpus.table.rejected, rejected_frame(rejects)])


def _as_dataset(rows: pl.DataFrame, corpus: Corpus) -> Dataset:
    return Dataset(
        rows=rows,
        inputs=corpus.inference.inputs,
        target=TEXT,
        task="generate",
        labels=(),
        y=rows[TEXT].str.len_chars().to_numpy().astype(np.float32),
        groups=np.arange(rows.height, dtype=np.int64),
        weight=None,
        changes=no_changes(),
        form=corpus.form,
    )


def _check_size(dataset: Dataset) -> None:
    characters = int(dataset.y.sum())
    if characters < FEWEST_CHARACTERS or len(dataset) < FEWEST_ROWS:
        raise DataError(
            "there is too little text to learn to write from",
            where="data",
            expected=f"at least {FEWEST_CHARACTERS} characters in {FEWEST_ROWS} texts or lines that differ",
            got=f"{characters:,} characters in {len(dataset):,}",
            fix="add text; a few pages are a start, a few hundred pages write like your corpus",
        )


def _without_copies(dataset: Dataset, cleaning: Cleaning, findings: list[Finding]) -> Dataset:
    """Keep the first of equal texts (in a running text: of equal long pieces)."""
    if cleaning.duplicates == "off":
        return dataset
    keys = input_keys(dataset.rows, dataset.inputs)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    again = first[inverse] != np.arange(len(keys))
    if dataset.form == "stream":
        again &= dataset.y >= LONG
    gone = np.flatnonzero(again)
    if len(gone) == 0:
        return dataset
    if cleaning.duplicates == "group":
        return replace(dataset, groups=merge_groups(dataset.groups, inverse))
    numbers = dataset.rows[ROW].to_numpy()
    changes = list_changes(numbers[gone], "duplicate", "the same text", numbers[first[inverse[gone]]])
    message = f"{len(gone):,} rows repeat another one: dropped before the split"
    findings.append(Finding("duplicate", "info", None, message, {"rows": len(gone)}))
    return take(dataset, np.flatnonzero(~again), changes)


def _without_leaks(test: Dataset, train: Dataset, findings: list[Finding]) -> Dataset:
    """Leave the test texts out that stand in training as a whole or share a long passage with it."""
    shared = find_shared_spans(test.rows[TEXT], train.rows[TEXT])
    # Of answers, the prompt alone gives a test row away: what was learnt for it is what is asked.
    told = test.inputs[:1] if test.form == "answers" else test.inputs
    equal = np.isin(input_keys(test.rows, told), input_keys(train.rows, told))
    partner = np.where(shared >= 0, shared, 0)
    leaked = np.flatnonzero(equal | (shared >= 0))
    if len(leaked) == 0:
        return test
    if len(leaked) == len(test):
        raise DataError(
            "every row of the test part also stands in the training part",
            where="test:",
            expected="rows that training does not see",
            fix="name another test file, or leave test: out to have one split off",
        )
    numbers = test.rows[ROW].to_numpy()
    reasons = [
        "the same text stands in training" if equal[i] else "shares a long passage with training" for i in leaked
    ]
    changes = list_changes(numbers[leaked], "leaked", reasons, train.rows[ROW].to_numpy()[partner[leaked]])
    message = (
        f"{len(leaked):,} of {len(test):,} test rows also stand in training or share a long passage with it: "
        "they are left out, so that the score is honest"
    )
    findings.append(Finding("leaked", "warning", None, message, {"test_rows": len(leaked)}))
    return take(test, np.setdiff1d(np.arange(len(test)), leaked), changes)
