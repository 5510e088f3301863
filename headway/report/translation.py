"""The sentences that a run tells as it goes, in Chinese: one table of patterns for the report and the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

Lang = Literal["en", "zh"]

# What stands in these places is told in words of the table itself; in KINDS, several separated by commas.
SENTENCES = frozenset({"reason", "limit"})
KINDS = frozenset({"kind", "kinds", "present"})
_PLACE = re.compile(r"\{(\w+)\}")
# What the parts of an error are called, see `headway.errors.Problem`.
LABELS: Mapping[str, str] = {"expected": "期望", "got": "实际", "next": "下一步"}
_PART = re.compile(r"\n  (expected|got|next): ")
# Nouns that the sentences count.
_ONE = re.compile(r"(?<![\d,.\w])1 (?:different )?(?:inputs|rows|records|fields|labels|values|cells|columns)\b")
# Places that hold one word, so that a pattern does not take other sentences for its own.
ONE_WORD = frozenset({"limit", "metric", "amount", "ceiling", "low", "high"})
NUMBERS = frozenset(
    {"bound", "count", "filled", "folds", "groups", "line", "number", "ratio", "read", "row", "rows", "share"}
)


def translate(sentence: str, lang: Lang) -> str:
    """Return a sentence that the code tells in English in `lang`; one that is not in the table stays as it is.

    In English `1 rows` becomes `1 row`. An error of several lines becomes one.

    The table is the part `told` of words.json: pairs of sentences with the same named places; after it come the errors.
    """
    if _PART.search(sentence):
        return _translate_problem(sentence, lang)
    if lang == "en" or not sentence:
        return _ONE.sub(lambda found: found[0][:-1], sentence)
    parts = sentence.split("; ")
    told = [translate(part, lang) for part in parts] if len(parts) > 1 else parts
    if len(parts) > 1 and all(now != part for now, part in zip(told, parts, strict=True)):
        return "；".join(told)
    for pattern, chinese in _read_patterns():
        found = pattern.fullmatch(sentence)
        if found is not None:
            return chinese.format(**{place: _fill(place, text, lang) for place, text in found.groupdict().items()})
    return _find_error(sentence, lang) or sentence


def translate_error(text: str, lang: Lang) -> str:
    """Return a part of an error (see `headway.errors.Problem`) in `lang`; what is not in errors.json stays as it is."""
    if lang == "en" or not text:
        return text
    known = _find_error(text, lang)
    if known is not None:
        return known
    for mark, joint in (("; ", "；"), (" or ", " 或 ")):
        parts = text.split(mark)
        told = [translate_error(part, lang) for part in parts] if len(parts) > 1 else parts
        if all(now != part for now, part in zip(told, parts, strict=True)):
            return joint.join(told)
    name, mark, reason = text.partition(": ")
    if mark and " " not in name and (told_reason := translate_error(reason, lang)) != reason:
        return f"{name}：{told_reason}"
    return translate(text, lang)


def name_metric(metric: str, lang: Lang) -> str:
    """Return what a metric is called; a coverage or a width says its level, that of one of several targets which."""
    for prefix in ("coverage_", "width_"):
        if metric.startswith(prefix) and ":" not in metric:
            return read_words()["sentences"][prefix + "metric"][lang].format(level=metric.removeprefix(prefix))
    kind, _, target = metric.partition(":")
    if target:
        words = read_words()["sentences"]["metric_of_target"][lang]
        return words.format(metric=name_metric(kind, lang), target=target)
    named = read_words()["metrics"].get(metric)
    return named[lang] if named else metric


@cache
def read_words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return all texts: section -> key -> language -> text."""
    text = resources.files("headway.report").joinpath("words.json").read_text(encoding="utf-8")
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(text)
    return words


@cache
def _read_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the patterns of the English sentences with their Chinese, in the order of the table."""
    return tuple((_compile(pair["en"]), pair["zh"]) for pair in read_words()["told"].values())


@cache
def _read_error_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the patterns of what errors say with their Chinese, those with the most words of their own first."""
    text = resources.files("headway.report").joinpath("errors.json").read_text(encoding="utf-8")
    pairs = sorted(json.loads(text), key=lambda pair: len(_PLACE.sub("", pair["en"])), reverse=True)
    return tuple((_compile(pair["en"]), pair["zh"]) for pair in pairs)


def _translate_problem(text: str, lang: Lang) -> str:
    """Return an error with all its parts in one line: what happened, and in brackets what was expected, got, next."""
    head, *details = _PART.split(text)
    parts = list(zip(details[::2], details[1::2], strict=True))
    if lang == "en":
        return f"{head} ({'; '.join(f'{label}: {said}' for label, said in parts)})"
    halves = head.split(": ", 1)
    told = [translate_error(half, lang) for half in halves]
    stands = len(halves) > 1 and all(now != half for now, half in zip(told, halves, strict=True))
    what = "：".join(told) if stands else translate_error(head, lang)
    return f"{what}（{'；'.join(f'{LABELS[label]}：{translate_error(said, lang)}' for label, said in parts)}）"


def _find_error(text: str, lang: Lang) -> str | None:
    for pattern, chinese in _read_error_patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return _PLACE.sub(lambda place, found=found: _fill_error(place[1], found[place[1]], lang), chinese)  # type: ignore[misc]
    return None


def _compile(english: str) -> re.Pattern[str]:
    places = _PLACE.split(english)
    written = [re.escape(part) if i % 2 == 0 else _place(part) for i, part in enumerate(places)]
    return re.compile("".join(written), re.DOTALL)


def _place(name: str) -> str:
    if name in NUMBERS:
        return rf"(?P<{name}>[\d.,]+(?:e[+-]?\d+)?%?)"
    return rf"(?P<{name}>[^\s;]+)" if name in ONE_WORD else rf"(?P<{name}>.+?)"


def _fill_error(place: str, text: str, lang: Lang) -> str:
    return translate_error(text, lang) if place in ("purpose", "place", "reason") else _fill(place, text, lang)


def _fill(place: str, text: str, lang: Lang) -> str:
    if place in SENTENCES:
        return translate(text, lang)
    if place in KINDS:
        sentences = read_words()["sentences"]
        kinds = [sentences[f"modality_{kind}"][lang] if f"modality_{kind}" in sentences else kind
                 for kind in text.split(", ")]  # fmt: skip
        return "、".join(kinds)
    return name_metric(text, lang) if place == "metric" else text
