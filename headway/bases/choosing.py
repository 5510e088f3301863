"""`base: auto`: which of the models on this machine a run leans on, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headway.bases.base import BaseKind
from headway.bases.languages import find_language
from headway.bases.listing import Offer
from headway.bases.memory import memory_needed

# The smallest that ships: int8.
SHIPPED_SHARE = 0.25
# Floating-point operations a second and core that a plain encoder reaches at the least; cautious, for AVX2.
_SPEED = 20e9
# Seeing all rows once may take this share of the time.
_TIME_SHARE = 0.5
_TOKENS_A_LETTER = {"zh": 0.8, "en": 0.25, "multi": 0.4}
_MOST_TOKENS = 512
_IMAGE_OPERATIONS = 120.0  # for each weight of a convolution or patch, which meets many places of an image
_LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "Chinese", "multi": "mixed"}


@dataclass(frozen=True)
class Demands:
    """What a run asks of a base: its rows, and what may be spent; None where there is no limit.

    `texts`: a sample of the texts; `seconds`, `memory_mb`: the budget; `size_mb`, `latency_ms`: limits of what ships.
    """

    rows: int
    texts: Sequence[str] = ()
    seconds: float = float("inf")
    memory_mb: float = float("inf")
    size_mb: float | None = None
    latency_ms: float | None = None


@dataclass(frozen=True)
class Choice:
    """The offer that was taken, or None, and why, in one line."""

    offer: Offer | None
    reason: str


def choose(offers: Sequence[Offer], kind: BaseKind, demands: Demands) -> Choice:
    """Choose among the usable offers of a kind: the language first, then sentence encoders, then the largest that fits.

    What cannot fit the memory, the time or the limits is left out; what ships is measured later all the same.
    """
    language = find_language(demands.texts) if kind != "image_encoder" else ""
    usable = [offer for offer in offers if offer.usable and offer.kind == kind]
    speaking = [offer for offer in usable if not language or speaks(offer, language)]
    faults = {offer.name: fault for offer in speaking if (fault := find_fault(offer, demands, language))}
    fitting = [offer for offer in speaking if offer.name not in faults]
    told = "".join(f"; {name} {fault}" for name, fault in faults.items())
    if fitting:
        best = max(fitting, key=lambda offer: rank(offer, language))
        data = f"{_LANGUAGES[language]} texts" if language else "images"
        millions = f"{best.parameters / 1e6:.0f}M parameters"
        return Choice(best, f"base: auto takes {best.name} ({millions}) for {demands.rows:,} rows of {data}{told}")
    if faults:
        return Choice(None, f"base: auto finds none that fits the budget and the limits{told}")
    if usable:
        names = ", ".join(offer.name for offer in usable)
        return Choice(None, f"base: auto finds none for {_LANGUAGES[language]} texts, only {names}")
    return Choice(None, "")


def speaks(offer: Offer, language: str) -> bool:
    """Tell whether a model knows the language of the texts."""
    return "multi" in offer.languages or language in offer.languages


def rank(offer: Offer, language: str) -> tuple[bool, bool, int]:
    """Return a sort key: made for this language, made for whole texts, size without its table of tokens."""
    return language in offer.languages, offer.is_sentence, offer.parameters - offer.embedding_parameters


def find_fault(offer: Offer, demands: Demands, language: str) -> str:
    """Return why an offer cannot meet the demands, or nothing."""
    needed = memory_needed(offer.size_mb)
    if needed > demands.memory_mb:
        return f"needs about {needed:,.0f} MB, the budget is {demands.memory_mb:,.0f} MB"
    smallest = offer.size_mb * SHIPPED_SHARE
    if demands.size_mb is not None and smallest > demands.size_mb:
        return f"ships with at least {smallest:,.0f} MB, the limit is {demands.size_mb:,.0f} MB"
    operations = count_operations(offer, demands, language)
    latency = 1000 * operations / (_SPEED * _cores())
    if demands.latency_ms is not None and latency > 4 * demands.latency_ms:
        return f"takes about {latency:,.0f} ms a row, the limit is {demands.latency_ms:,.0f} ms"
    seconds = demands.rows * operations / (_SPEED * _cores())
    if seconds > _TIME_SHARE * demands.seconds:
        return f"needs about {seconds:,.0f} s to read all rows, the budget is {demands.seconds:,.0f} s"
    return ""


def count_operations(offer: Offer, demands: Demands, language: str) -> float:
    """Return the floating-point operations for one row, roughly: two for each weight and token."""
    weights = offer.parameters - offer.embedding_parameters
    if offer.kind == "image_encoder":
        return 2 * weights * _IMAGE_OPERATIONS
    letters = sum(len(text) for text in demands.texts) / max(1, len(demands.texts))
    tokens = min(max(letters * _TOKENS_A_LETTER[language], 8.0), _MOST_TOKENS)
    return 2 * weights * tokens


def _cores() -> int:
    return os.cpu_count() or 1
