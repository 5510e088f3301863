"""Gradient-boosted decision trees (LightGBM)."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="trees",
    summary="gradient-boosted decision trees (LightGBM), several seeds averaged on small data",
    modalities=frozenset({"number", "category", "date", "text"}),
    among=frozenset({"number", "category", "date"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset(
        {
            "loss",
            "learning_rate",
            "weight_decay",
            "l1",
            "epochs",
            "early_stopping",
            "class_weights",
            "huber_delta",
        }
    ),
    losses=frozenset({"cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"}),
    self_tuning=True,
)
