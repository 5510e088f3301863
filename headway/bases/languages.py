"""Which languages texts are in, as far as the choice of a base model depends on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST_TEXTS, _MOST_LETTERS = 2000, 400
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
# Kana, Hangul, Cyrillic, Arabic and all other letters beyond ASCII that are not Chinese.
_OTHER = re.compile(r"[^\W\d_A-Za-z\u3400-\u4dbf\u4e00-\u9fff]")
# Shares of a text's letters: Latin with accents is not English from the first on, Chinese may be full of Latin names.
_FOREIGN, _SINITIC = 0.03, 0.2
_PRESENT = 0.1  # share of the texts from which on a language counts


def find_language(texts: Sequence[str]) -> str:
    """Return "zh", "en", or "multi" for other languages and mixtures.

    A rule of scripts, not of words: unaccented Latin letters count as English.
    """
    step = max(1, len(texts) // _MOST_TEXTS)
    counts = {"zh": 0, "en": 0, "multi": 0}
    for text in texts[::step]:
        found = _classify(text[:_MOST_LETTERS])
        if found is not None:
            counts[found] += 1
    total = sum(counts.values())
    present = [code for code, count in counts.items() if count > _PRESENT * total]
    return present[0] if len(present) == 1 else "multi" if present else "en"


def _classify(text: str) -> str | None:
    """Return the language of one text, None where it has no letters."""
    chinese, latin, other = (len(pattern.findall(text)) for pattern in (_CHINESE, _LATIN, _OTHER))
    letters = chinese + latin + other
    if letters == 0:
        return None
    if other > _FOREIGN * letters:
        return "multi"
    return "zh" if chinese > _SINITIC * letters else "en"
