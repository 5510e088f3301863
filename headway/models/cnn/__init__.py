"""A small convolutional network for images."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="cnn",
    summary="a small convolutional network with augmentation",
    modalities=frozenset({"image"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=HONOURED,
    extra="deep",
    needs=("torch",),
    elastic=True,
)
