"""What written texts copy from the training text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headway.data.corpus.overlap import code_points, window_hashes

# What stands between two texts, and in none of them.
_BETWEEN = "\ufffe"
_LENGTHS = (2, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64, 85, 113, 151, 201, 268, 357, 476, 635, 847, 1129, 1505, 2007)


@dataclass(frozen=True)
class Copy:
    """The longest passage of a text that stands word for word in the training text."""

    sample: int
    passage: str

    def __len__(self) -> int:
        """Return its characters."""
        return len(self.passage)


def longest_copies(samples: Sequence[str], corpus: Sequence[str]) -> list[Copy]:
    """Return the longest copied passage of each sample, empty where not even two characters are copied.

    Passages of growing lengths are looked up by their hashes; what is between two lengths is searched in the text.
    """
    text = _BETWEEN.join(corpus)
    points = code_points(text)
    starts: list[list[int]] = [list(range(len(sample))) for sample in samples]
    reached = [0] * len(samples)
    for length in _LENGTHS:
        found = _hits(samples, points, length)
        if not any(found):
            break
        for number, hits in enumerate(found):
            if hits:
                starts[number], reached[number] = hits, length
    return [
        Copy(number, _grown(samples[number], text, starts[number], reached[number])) for number in range(len(samples))
    ]


def _hits(samples: Sequence[str], points: np.ndarray, length: int) -> list[list[int]]:
    """Return, for each sample, where passages of `length` begin that stand in the text of `points`."""
    mine = [window_hashes(code_points(sample), length) for sample in samples]
    known = np.unique(np.concatenate(mine))
    if len(known) == 0:
        return [[] for _ in samples]
    theirs = window_hashes(points, length)
    place = np.minimum(np.searchsorted(known, theirs), len(known) - 1)
    copied = known[np.unique(place[known[place] == theirs])]
    return [np.flatnonzero(np.isin(each, copied)).tolist() for each in mine]


def _grown(sample: str, text: str, starts: Sequence[int], length: int) -> str:
    """Return the longest passage from one of `starts` on that stands in `text`, at least `length` long."""
    best, size = 0, length
    for start in starts if length else ():
        while start + size < len(sample) and sample[start : start + size + 1] in text:
            best, size = start, size + 1
        if size == length and sample[start : start + size] in text:
            best = start
    return sample[best : best + size]
