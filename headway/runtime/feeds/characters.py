"""Text cells as Unicode code points."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from headway.runtime.feeds.cells import Cells, column, strings
from headway.runtime.feeds.padding import pad
from headway.runtime.manifest import CharacterFeed

# How much raw text is looked at for each character kept: bounds the work that one huge cell can cause.
_RAW = 8
# From this many texts on, whole arrays of code points are folded at once.
_MANY = 8
_TABLE_SIZE = 0x20000
_BLANK = 32
# Ranges whose characters stand for themselves or for one other character, and never join with a neighbour: Latin,
# Cyrillic, punctuation, symbols, kana, Chinese, Korean syllables, full-width forms, emoji. (Greek is not among them:
# its sigma is lowered by position.) What in them does expand or combine is found when the table is made.
_RANGES = (
    (0x0000, 0x024F),
    (0x0400, 0x04FF),
    (0x2000, 0x22FF),
    (0x2500, 0x27BF),
    (0x3000, 0x30FF),
    (0xFE0F, 0xFE0F),
    (0xFF01, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1F6FF),
    (0x1F900, 0x1F9FF),
)
_UNCHANGED = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))


def encode(feed: CharacterFeed, columns: Mapping[str, Cells]) -> dict[str, np.ndarray]:
    """Return `{feed.name: int32 [rows, longest]}`, 0 after the end.

    A missing cell is an empty text. Zero bytes and lone surrogates, which no text should hold, become U+FFFD and "?".
    """
    name = feed.columns[0]
    texts = strings(column(columns, name), name)
    if not feed.normalise:
        return {feed.name: pad(*_points([text[: feed.max_length] for text in texts]))}
    texts = [text[: feed.max_length * _RAW] for text in texts]
    if len(texts) < _MANY:
        return {feed.name: pad(*_points([normalise(text)[: feed.max_length] for text in texts]))}
    return {feed.name: pad(*_cut(*_fold(*_mapped(texts)), feed.max_length))}


def normalise(text: str) -> str:
    """Return `text` in Unicode form NFKC, lower case, white space folded to one blank and stripped."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.lower().split())


def _points(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the code points of all texts in a row, int32, and the texts' lengths."""
    content = "".join(texts).replace("\0", "\ufffd").encode("utf-32-le", "replace")
    return np.frombuffer(content, dtype=np.int32), np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _mapped(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return code points in NFKC and lower case with white space as blanks (not yet folded), and lengths.

    Most characters are looked up in a table; a text with any other goes through `normalise`.
    """
    flat, lengths = _points(texts)
    codes = _table()[np.minimum(flat, _TABLE_SIZE - 1)]
    unknown = codes < 0
    if not unknown.any():
        return codes, lengths
    texts = list(texts)
    for row in np.unique(np.repeat(np.arange(len(texts)), lengths)[unknown]).tolist():
        texts[row] = normalise(texts[row])
    flat, lengths = _points(texts)
    codes = _table()[np.minimum(flat, _TABLE_SIZE - 1)]
    return np.where(codes < 0, flat, codes), lengths


def _fold(codes: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fold runs of blanks into one in every row, and strip the rows."""
    stops = np.cumsum(lengths)
    starts = stops - lengths
    blank = codes == _BLANK
    after_blank = np.empty_like(blank)
    after_blank[1:] = blank[:-1]
    after_blank[starts[lengths > 0]] = True
    keep = ~(blank & after_blank)
    kept = np.concatenate([[0], np.cumsum(keep)])
    lengths = kept[stops] - kept[starts]
    if not keep.all():
        codes = codes[keep]
    last = (np.cumsum(lengths) - 1)[lengths > 0]
    trailing = last[codes[last] == _BLANK]
    if len(trailing):
        lengths[np.searchsorted(np.cumsum(lengths), trailing, side="right")] -= 1
        codes = np.delete(codes, trailing)
    return codes, lengths


def _cut(codes: np.ndarray, lengths: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut every row to `most` code points."""
    if lengths.max(initial=0) <= most:
        return codes, lengths
    positions = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return codes[positions < most], np.minimum(lengths, most)


@cache
def _table() -> np.ndarray:
    """Return what each code point becomes, int32 `[_TABLE_SIZE]`; -1 where that takes a look at its neighbours."""
    table = np.full(_TABLE_SIZE, -1, dtype=np.int32)
    for first, last in _UNCHANGED:
        table[first : last + 1] = np.arange(first, last + 1)
    for first, last in _RANGES:
        table[first : last + 1] = [_single(chr(code)) for code in range(first, last + 1)]
    return table


def _single(character: str) -> int:
    """Return the one code point that a character becomes wherever it stands, or -1."""
    if character.isspace():
        return _BLANK
    text = unicodedata.normalize("NFKC", character).lower()
    stable = len(text) == 1 and unicodedata.normalize("NFKC", text).lower() == text
    alone = stable and not unicodedata.combining(character) and not unicodedata.combining(text)
    return ord(text) if alone and ord(text) < _TABLE_SIZE else -1
