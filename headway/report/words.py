"""Every sentence of the report and the card, in English and in Chinese; they stand in words.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import resources

from headway.data.dataset import Finding
from headway.report.content import Lang

Say = Callable[..., str]


def speak(lang: Lang) -> Say:
    """Return a function that says a sentence by its key, with the named places filled."""
    return partial(_say, lang)


def has_sentence(key: str) -> bool:
    """Tell whether there is such a sentence."""
    return key in read_words()["sentences"]


def name_metric(metric: str, lang: Lang) -> str:
    """Return what a metric is called; a coverage or a width says its level."""
    for prefix in ("coverage_", "width_"):
        if metric.startswith(prefix):
            return _say(lang, prefix + "metric", level=metric.removeprefix(prefix))
    named = read_words()["metrics"].get(metric)
    return named[lang] if named else metric


def explain_terms(lang: Lang) -> list[tuple[str, str]]:
    """Return what the technical words mean, as (word, meaning)."""
    entries = read_words()["glossary"]
    return [(name_term(term, lang), meaning[lang]) for term, meaning in entries.items()]


def name_finding(finding: Finding, lang: Lang) -> str:
    """Return what a finding says; in Chinese by its code, where the code is known and has the figures it needs."""
    sentence = read_words()["findings"].get(finding.code) if lang == "zh" else None
    if sentence is None:
        return finding.message
    try:
        return sentence["zh"].format(column=finding.column, message=finding.message, **_separate(finding.figures))
    except KeyError:
        return finding.message


def name_term(term: str, lang: Lang) -> str:
    """Return what a glossary entry is called."""
    return _say(lang, term) if has_sentence(term) else name_metric(term, lang)


@cache
def read_words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return all texts: section -> key -> language -> text."""
    text = resources.files("headway.report").joinpath("words.json").read_text(encoding="utf-8")
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(text)
    return words


def _separate(figures: Mapping[str, float | int | str]) -> dict[str, str]:
    return {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in figures.items()}


def _say(lang: Lang, key: str, /, **places: object) -> str:
    return read_words()["sentences"][key][lang].format(**places)
