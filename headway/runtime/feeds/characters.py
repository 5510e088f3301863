"""Text cells as Unicode code points."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np

from headway.runtime.feeds.cells import Cells, column, strings
from headway.runtime.feeds.padding import pad
from headway.runtime.manifest import CharacterFeed

# How much raw text is looked at for each character kept: bounds the work that one huge cell can cause.
_RAW = 8


def encode(feed: CharacterFeed, columns: Mapping[str, Cells]) -> dict[str, np.ndarray]:
    """Return `{feed.name: int32 [rows, longest]}`, 0 after the end.

    A missing cell is an empty text. Zero bytes and lone surrogates, which no text should hold, become U+FFFD and "?".
    """
    name = feed.columns[0]
    texts = strings(column(columns, name), name)
    if feed.normalise:
        texts = [normalise(text[: feed.max_length * _RAW])[: feed.max_length] for text in texts]
    else:
        texts = [text[: feed.max_length] for text in texts]
    flat = np.frombuffer("".join(texts).replace("\0", "\ufffd").encode("utf-32-le", "replace"), dtype=np.int32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return {feed.name: pad(flat, lengths)}


def normalise(text: str) -> str:
    """Return `text` in Unicode form NFKC, lower case, white space folded to one blank and stripped."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.lower().split())
