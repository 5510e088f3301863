"""A running text, cut into pieces that give the text again when they are put together."""

from __future__ import annotations

import re

# About so many characters a piece: large enough that neighbours hardly depend on each other, so that pieces can be
# resampled, and small enough that a short text has some.
LARGEST, SMALLEST, WANTED = 1000, 40, 200
_LINE_END = re.compile(r"\n+")
_SENTENCE_END = re.compile(r"[。！？!?.…；;]+[”’」』\"')）]*\s*")


def cut(text: str) -> list[str]:
    """Return the pieces of `text`, each up to about 1,000 characters and ending at a line's or a sentence's end."""
    size = min(LARGEST, max(SMALLEST, len(text) // WANTED))
    pieces, start = [], 0
    while len(text) - start > size * 3 // 2:
        end = _end_of_piece(text, start, size)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]] if start < len(text) else pieces


def _end_of_piece(text: str, start: int, size: int) -> int:
    """Return where the piece from `start` on ends: at the last end of a line near its size, else of a sentence."""
    window = text[start + size // 2 : start + size]
    for pattern in (_LINE_END, _SENTENCE_END):
        ends = [found.end() for found in pattern.finditer(window)]
        if ends:
            return start + size // 2 + ends[-1]
    return start + size
