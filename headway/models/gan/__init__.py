"""A generator of pictures, trained against a critic on a folder of images."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="gan",
    summary="draws pictures: a small generator against a critic with a gradient penalty, by class where there are some",
    modalities=frozenset({"image"}),
    tasks=frozenset({"generate"}),
    honours=frozenset({"learning_rate", "epochs", "batch_size", "augment"}),
    extra="deep",
    needs=("torch",),
    elastic=True,
)
