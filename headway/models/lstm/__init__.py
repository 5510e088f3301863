"""A recurrent network over subword tokens."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="lstm",
    summary="subword embeddings, a bidirectional LSTM, maximum over time, a dense layer",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=HONOURED - {"augment"},
    extra="deep",
    needs=("torch",),
    elastic=True,
)
