"""Variety and repetition of written texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words of scripts with blanks; every character of Chinese, Japanese and Korean by itself.
_ALONE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_UNIT = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
# A passage of so many units that comes twice in one text counts as repetition.
REPEATED = 4


def units_of(text: str) -> list[str]:
    """Return the words of a text, or its characters in scripts without blanks."""
    return _UNIT.findall(text.lower())


def distinct(texts: Sequence[str], length: int) -> float:
    """Return the share of different n-grams of `length` units among all (Li et al. 2016, section 5); 0 without any."""
    grams = [gram for text in texts for gram in _grams(units_of(text), length)]
    return len(set(grams)) / len(grams) if grams else 0.0


def repetition(texts: Sequence[str]) -> float:
    """Return the share of 4-grams that stand earlier in the same text (Welleck et al. 2020, section 6: seq-rep-4)."""
    found = [_grams(units_of(text), REPEATED) for text in texts]
    total = sum(map(len, found))
    return 1 - sum(len(set(grams)) for grams in found) / total if total else 0.0


def _grams(units: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return list(zip(*(units[start:] for start in range(length)), strict=False))
