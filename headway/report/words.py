"""Every sentence of the report and the card, in English and in Chinese; they stand in words.json."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from headway.report.translation import Lang, name_metric, read_words

Say = Callable[..., str]


def speak(lang: Lang) -> Say:
    """Return a function that says a sentence by its key, with the named places filled."""
    return partial(_say, lang)


def has_sentence(key: str) -> bool:
    """Tell whether there is such a sentence."""
    return key in read_words()["sentences"]


def explain_terms(lang: Lang) -> list[tuple[str, str]]:
    """Return what the technical words mean, as (word, meaning)."""
    entries = read_words()["glossary"]
    return [(name_term(term, lang), meaning[lang]) for term, meaning in entries.items()]


def name_term(term: str, lang: Lang) -> str:
    """Return what a glossary entry is called."""
    return _say(lang, term) if has_sentence(term) else name_metric(term, lang)


def _say(lang: Lang, key: str, /, **places: object) -> str:
    return read_words()["sentences"][key][lang].format(**places)
