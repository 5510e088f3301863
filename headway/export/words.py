"""Every sentence that an export writes, in English and in Chinese; they stand in words.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["en", "zh"]


def say(key: str, lang: Language) -> str:
    """Return the sentence called `key`, with its blanks `{...}` still open."""
    return _read_words()[key][lang]


@cache
def _read_words() -> Mapping[str, Mapping[str, str]]:
    """Return all sentences: key -> language -> text."""
    text = resources.files("headway.export").joinpath("words.json").read_text(encoding="utf-8")
    words: Mapping[str, Mapping[str, str]] = json.loads(text)
    return words
