"""A linear model on standardised, shrunk pixels."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="pixels_linear",
    summary="logistic or ridge regression on the principal components of small images",
    modalities=frozenset({"image"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"weight_decay", "class_weights"}),
)
