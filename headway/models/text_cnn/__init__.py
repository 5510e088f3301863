"""A convolutional network over subword tokens."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="text_cnn",
    summary="subword embeddings, convolutions of several widths, maximum over time (Kim 2014)",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=HONOURED - {"augment"},
    extra="deep",
    needs=("torch",),
    elastic=True,
)
