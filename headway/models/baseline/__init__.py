"""The answer without looking: what every other candidate must beat."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="baseline",
    summary="class frequencies, or the mean (the median for mae and huber)",
    modalities=frozenset({"text", "number", "category", "date", "image", "audio"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"loss"}),
)
