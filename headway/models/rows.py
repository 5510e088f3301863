"""Packed rows of equal length out of a corpus of tokens, for training and for judging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headway.models.sequences import Sequences

# A row of a long text that is judged repeats this share of the row before, so that no token lacks context.
OVERLAP = 1 / 3
# Longer rows say no more about a model of text and take memory for the chances of every token.
JUDGED_WINDOW = 1024


@dataclass(frozen=True)
class Packed:
    """Tokens `[n]`, and where rows begin in them; a row is `length` tokens and the one after."""

    ids: np.ndarray
    offsets: np.ndarray
    length: int

    def batch(self, numbers: np.ndarray) -> np.ndarray:
        """Return int64 `[rows, length + 1]`."""
        places = self.offsets[numbers][:, None] + np.arange(self.length + 1)
        return np.asarray(self.ids[places], np.int64)


def pack(sequences: Sequences, length: int, random: np.random.Generator) -> Packed:
    """Return one reading of a corpus in rows, in a random order.

    One long text is cut from a random place on. Of several, shuffled, a row begins with a text, and the one that it
    cuts off begins the next row, so that a model learns to begin; a text longer than a row goes on in the next.
    """
    length = min(length, len(sequences.ids) - 2)
    if len(sequences.starts) == 2:
        first = int(random.integers(min(length, len(sequences.ids) - length - 1)))
        offsets = np.arange(first, len(sequences.ids) - length, length)
        return Packed(sequences.ids, random.permutation(offsets), length)
    order = random.permutation(len(sequences.starts) - 1)
    parts = [sequences.ids[sequences.starts[one] : sequences.starts[one + 1]] for one in order]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    ids = np.concatenate(parts)
    return Packed(ids, random.permutation(_text_offsets(starts, length)), length)


def _text_offsets(starts: np.ndarray, length: int) -> np.ndarray:
    """Return where rows begin so that every token is in one."""
    last = int(starts[-1]) - length - 1
    offsets = [0]
    while offsets[-1] < last:
        reached = offsets[-1] + length
        begins = int(starts[np.searchsorted(starts, reached, side="right") - 1])
        offsets.append(min(last, begins if begins > offsets[-1] else reached))
    return np.array(offsets)


@dataclass(frozen=True)
class Judged:
    """A batch to judge: ids `[rows, length]` padded on the right, their lengths, and which predictions count where.

    `row`, `column`: places in the batch whose next token is judged; `token`: which token of all that is.
    """

    ids: np.ndarray
    lengths: np.ndarray
    row: np.ndarray
    column: np.ndarray
    token: np.ndarray


def judge_rows(sequences: Sequences, window: int, *, most_tokens: int) -> Iterator[Judged]:
    """Yield batches of at most about `most_tokens` tokens in which every scored token is predicted exactly once."""
    spans = sorted(_spans(sequences, window), key=lambda span: span[1] - span[0])
    batch: list[tuple[int, int, int]] = []
    for span in spans:
        if batch and (len(batch) + 1) * (span[1] - span[0]) > most_tokens:
            yield _judged(sequences, batch)
            batch = []
        batch.append(span)
    if batch:
        yield _judged(sequences, batch)


def _spans(sequences: Sequences, window: int) -> list[tuple[int, int, int]]:
    """Return (first token, end, first token that is judged) of rows of at most `window` predictions."""
    found = []
    step = max(1, window - int(OVERLAP * window))
    for start, end in zip(sequences.starts[:-1].tolist(), sequences.starts[1:].tolist(), strict=True):
        begin, judged = start, start + 1
        while judged < end:
            stop = min(end, begin + window + 1)
            if sequences.scored[judged:stop].any():
                found.append((begin, stop, judged))
            judged, begin = stop, begin + step
    return found


def _judged(sequences: Sequences, spans: list[tuple[int, int, int]]) -> Judged:
    lengths = np.array([stop - begin - 1 for begin, stop, _ in spans])
    ids = np.zeros((len(spans), int(lengths.max())), np.int64)
    rows, columns, tokens = [], [], []
    for row, (begin, stop, judged) in enumerate(spans):
        ids[row, : lengths[row]] = sequences.ids[begin : stop - 1]
        wanted = judged + np.flatnonzero(sequences.scored[judged:stop])
        rows.append(np.full(len(wanted), row))
        columns.append(wanted - begin - 1)
        tokens.append(wanted)
    return Judged(ids, lengths, np.concatenate(rows), np.concatenate(columns), np.concatenate(tokens))
