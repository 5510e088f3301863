"""What the page says, in English and Chinese."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from headway.report.translation import Lang
from headway.serving.http import Request, preferred


def choose_language(request: Request, usual: str) -> Lang:
    """Return the language that the address, the browser or the service asks for, in this order."""
    asked = request.query.get("lang", "")
    if asked in {"en", "zh"}:
        return "zh" if asked == "zh" else "en"
    first = preferred(request.header(b"accept-language")) or usual
    return "zh" if first == "zh" else "en"


def say(key: str, lang: Lang, **places: object) -> str:
    """Return a sentence with its places filled."""
    return read_words()[key][lang].format(**places)


@cache
def read_words() -> Mapping[str, Mapping[str, str]]:
    """Return all sentences: key -> language -> text."""
    words: Mapping[str, Mapping[str, str]] = json.loads(
        resources.files("headway.serving.page").joinpath("words.json").read_text(encoding="utf-8")
    )
    return words
