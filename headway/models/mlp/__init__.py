"""A residual network over splines of numbers and embeddings of categories."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="mlp",
    summary="a small residual network over splines of numbers and embeddings of categories",
    modalities=frozenset({"number", "category", "date", "text"}),
    among=frozenset({"number", "category", "date"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=HONOURED - {"augment"},
    extra="deep",
    needs=("torch",),
    elastic=True,
)
