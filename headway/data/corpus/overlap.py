"""Long passages that two parts of a corpus share: contamination of a test part by training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.changes import list_changes, take_changes
from headway.data.dataset import ROW, Dataset, Finding, Fold, Split

# A passage of so many characters hardly comes up twice by chance: about the 13 tokens of Brown et al. 2020, appendix C.
SPAN = 50
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_MIX = np.uint64(0xD6E8FEB86659FD93)
# Rather than lose more than this share of the training rows, contamination is only told: the passages are a formula.
_MOST_DROPPED = 0.2


def find_shared_spans(texts: pl.Series, others: pl.Series, *, span: int = SPAN) -> np.ndarray:
    """Return `[n]` int64: for each text the position of one of `others` that shares `span` characters, or -1."""
    mine, mine_row = span_hashes(texts, span)
    theirs, their_row = span_hashes(others, span)
    found = np.full(len(texts), -1, np.int64)
    if len(mine) == 0 or len(theirs) == 0:
        return found
    order = np.argsort(theirs, kind="stable")
    place = np.minimum(np.searchsorted(theirs[order], mine), len(order) - 1)
    hit = theirs[order][place] == mine
    found[mine_row[hit]] = their_row[order][place[hit]]
    return found


def span_hashes(texts: pl.Series, span: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hash (uint64) of every `span` characters of every text, and the position of its text."""
    lengths = texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
    joined = texts.fill_null("").str.join("")[0]
    hashes = window_hashes(code_points(joined), span)
    row = np.repeat(np.arange(len(lengths)), lengths)
    if len(hashes) == 0:
        return hashes, row[:0]
    # A window counts where it ends in the text it begins in.
    inside = row[: len(hashes)] == row[span - 1 :]
    return hashes[inside], row[: len(hashes)][inside]


def code_points(text: str) -> np.ndarray:
    """Return the code points of a text, uint64."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)


def window_hashes(points: np.ndarray, span: int) -> np.ndarray:
    """Return a polynomial hash (modulo 2^64) of every window of `span` points, `[n - span + 1]` uint64."""
    if len(points) < span:
        return np.empty(0, np.uint64)
    mixed = (points + np.uint64(1)) * _MIX
    mixed ^= mixed >> np.uint64(31)
    powers = np.cumprod(np.full(len(points), _BASE, np.uint64))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * powers)])
    # A window that starts later has higher powers of the base: divide them out.
    back = np.cumprod(np.full(len(points) - span + 1, _INVERSE, np.uint64))
    return np.asarray((sums[span:] - sums[:-span]) * back)


def drop_contamination(dataset: Dataset, split: Split, test: pl.Series) -> tuple[Dataset, Split, tuple[Finding, ...]]:
    """Take the training rows out that share a long passage with the test part; each is listed with its reason.

    Where that would be very many, the passages are a formula of the corpus, and stay.
    """
    known = dataset.changes.filter(pl.col("step") != "contamination")
    dataset = replace(dataset, changes=known)  # a run that was killed just here has listed them already
    shared = find_shared_spans(dataset.rows["text"][split.train], test)
    positions = split.train[shared >= 0]
    if len(positions) == 0:
        return dataset, split, ()
    count, share = len(positions), len(positions) / len(split.train)
    figures: dict[str, float | int | str] = {"rows": count}
    if share > _MOST_DROPPED:
        message = (
            f"{count:,} training rows share a passage of {SPAN} characters with the test part: formulas, so they stay"
        )
        return dataset, split, (Finding("shared_passages", "warning", None, message, figures),)
    numbers = dataset.rows[ROW].to_numpy()[positions]
    changes = list_changes(numbers, "contamination", f"shares {SPAN} characters with the test part")
    folds = tuple(Fold(_without(fold.train, positions), _without(fold.valid, positions)) for fold in split.folds)
    message = (
        f"{count:,} training rows share a passage of {SPAN} characters with the test part: they are not learnt from"
    )
    left = replace(split, train=_without(split.train, positions), folds=folds)
    return take_changes(dataset, changes), left, (Finding("contamination", "info", None, message, figures),)


def _without(positions: np.ndarray, gone: np.ndarray) -> np.ndarray:
    return positions[~np.isin(positions, gone)]
