"""A linear head on the features of a pretrained image encoder that stays as it is."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="image_frozen",
    summary="logistic or ridge regression on the features of a pretrained image encoder",
    modalities=frozenset({"image"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"loss", "weight_decay", "class_weights", "huber_delta"}),
    extra="deep",
    needs=("torch", "transformers", "safetensors"),
    losses=frozenset({"cross_entropy", "mse", "mae", "huber"}),
    base="image_encoder",
)
