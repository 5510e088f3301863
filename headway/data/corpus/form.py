"""The form of verse: lines of one length, five or seven characters in Chinese poems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# Where a line of verse ends: punctuation and line ends.
_BREAK = re.compile(r"[，。！？；：、,.!?;:\n]+")
# A corpus has a form where so many of its texts have lines of one length, of a length that so many texts share.
_REGULAR, _COMMON, _FEWEST_LINES = 0.6, 0.1, 2


def line_lengths(text: str) -> list[int]:
    """Return the characters of each line of verse."""
    return [len(line.strip()) for line in _BREAK.split(text) if line.strip()]


def find_form(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the lengths of line that a corpus of verse is written in, such as (5, 7); empty where it is not verse."""
    lengths = [line_lengths(text) for text in texts]
    uniform = Counter(lines[0] for lines in lengths if len(lines) >= _FEWEST_LINES and len(set(lines)) == 1)
    if not texts or uniform.total() < _REGULAR * len(texts):
        return ()
    return tuple(sorted(length for length, count in uniform.items() if count >= _COMMON * len(texts)))


def keeps_form(text: str, form: Sequence[int]) -> bool:
    """Tell whether a text has at least two lines, all of one of the lengths of `form`."""
    lines = line_lengths(text)
    return len(lines) >= _FEWEST_LINES and len(set(lines)) == 1 and lines[0] in form
