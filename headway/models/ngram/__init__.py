"""Counts of character sequences: what every model that writes must beat."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="ngram",
    summary="sequences of up to 8 characters, counted and smoothed: the yardstick, it does not ship",
    modalities=frozenset({"text"}),
    tasks=frozenset({"generate"}),
)
