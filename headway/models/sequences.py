"""Rows of text as sequences of tokens, and which tokens count in judging a model of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.corpus.reading import PROMPT, TEXT
from headway.data.dataset import Form

# What stands between a prompt and the text that answers it.
AFTER_PROMPT = "\n"

Encode = Callable[[Sequence[str]], list[np.ndarray]]


@dataclass(frozen=True)
class Sequences:
    """Token ids one after the other.

    `ids` `[n]` int32; `row` `[n]` int32: the row that a token belongs to; `scored` `[n]` bool: whether predicting it
    counts (the first of a sequence, and prompts, do not); `starts` `[k + 1]` int64: where sequences begin, and the end.
    """

    ids: np.ndarray
    row: np.ndarray
    scored: np.ndarray
    starts: np.ndarray

    def sums(self, losses: np.ndarray, rows: int) -> np.ndarray:
        """Return float32 `[rows, 2]`: the loss of each row's scored tokens, and their number.

        `losses` `[n]`: the negative log likelihood of each token, in nats.
        """
        kept = self.row[self.scored]
        nats = np.bincount(kept, losses[self.scored].astype(np.float64), rows)
        return np.stack([nats, np.bincount(kept, minlength=rows)], axis=1).astype(np.float32)


def lay_out(rows: pl.DataFrame, encode: Encode, form: Form, *, begin: int, end: int) -> Sequences:
    """Return rows of text as sequences.

    A stream is one sequence that goes through all rows; other texts are a sequence each and end with `end`. Every
    sequence starts with `begin`, which nobody has to predict.
    """
    texts = encode(rows[TEXT].fill_null("").to_list())
    if form == "stream":
        lengths = np.array([len(text) for text in texts])
        ids = np.concatenate([[begin], *texts]).astype(np.int32)
        row = np.concatenate([[0], np.repeat(np.arange(len(texts)), lengths)]).astype(np.int32)
        return Sequences(ids, row, np.arange(len(ids)) > 0, np.array([0, len(ids)]))
    prompts = encode(prompts_of(rows)) if PROMPT in rows.columns else [np.empty(0, np.int32)] * len(texts)
    return _separate(prompts, texts, begin, end)


def prompts_of(rows: pl.DataFrame) -> list[str]:
    """Return the prompts as a model reads them: with what stands after one; empty where a row has none."""
    return [f"{prompt}{AFTER_PROMPT}" if prompt else "" for prompt in rows[PROMPT].to_list()]


def _separate(prompts: Sequence[np.ndarray], texts: Sequence[np.ndarray], begin: int, end: int) -> Sequences:
    parts = [part for both in zip(prompts, texts, strict=True) for part in ([begin], *both, [end])]
    ids = np.concatenate(parts).astype(np.int32)
    before = np.array([len(prompt) + 1 for prompt in prompts])
    after = np.array([len(text) + 1 for text in texts])
    lengths = before + after
    starts = np.concatenate([[0], np.cumsum(lengths)])
    row = np.repeat(np.arange(len(texts)), lengths).astype(np.int32)
    within = np.arange(len(ids)) - starts[row]
    return Sequences(ids, row, within >= before[row], starts)
