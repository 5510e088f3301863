"""Averaged embeddings of subword tokens and their pairs."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="bag",
    summary="averaged embeddings of subword tokens and pairs of them, a linear layer (fastText)",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=HONOURED - {"augment"},
    extra="deep",
    needs=("torch",),
    elastic=True,
)
