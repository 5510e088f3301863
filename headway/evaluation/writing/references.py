"""How near written answers come to those that people gave: chrF and ROUGE-L."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from headway.evaluation.writing.variety import units_of

_LONGEST, _BETA = 6, 2.0


def chrf(written: Sequence[str], references: Sequence[str]) -> float:
    """Return chrF2 of a corpus, 0 to 100 (Popovic 2015): F-score of character n-grams up to 6, blanks left out."""
    hits, given, wanted = np.zeros(_LONGEST), np.zeros(_LONGEST), np.zeros(_LONGEST)
    for text, reference in zip(written, references, strict=True):
        for length in range(1, _LONGEST + 1):
            mine, theirs = _grams(text, length), _grams(reference, length)
            hits[length - 1] += (mine & theirs).total()
            given[length - 1] += mine.total()
            wanted[length - 1] += theirs.total()
    orders = (given > 0) & (wanted > 0)
    if not orders.any():
        return 0.0
    precision, recall = (hits[orders] / given[orders]).mean(), (hits[orders] / wanted[orders]).mean()
    below = _BETA**2 * precision + recall
    return float(100 * (1 + _BETA**2) * precision * recall / below) if below else 0.0


def rouge_l(written: Sequence[str], references: Sequence[str]) -> float:
    """Return the mean ROUGE-L F1, 0 to 1 (Lin 2004): the longest common subsequence of words, characters in Chinese."""
    pairs = zip(written, references, strict=True)
    scores = [_overlap(units_of(text), units_of(reference)) for text, reference in pairs]
    return float(np.mean(scores)) if scores else 0.0


def _grams(text: str, length: int) -> Counter[str]:
    bare = "".join(text.split())
    return Counter(bare[start : start + length] for start in range(len(bare) - length + 1))


def _overlap(written: Sequence[str], reference: Sequence[str]) -> float:
    if not written or not reference:
        return 0.0
    row = [0] * (len(reference) + 1)
    for unit in written:
        corner = 0
        for place, other in enumerate(reference, 1):
            corner, row[place] = row[place], corner + 1 if unit == other else max(row[place], row[place - 1])
    return 2 * row[-1] / (len(written) + len(reference))
