"""Logistic regression and ridge on standardised numbers, one-hot categories and calendar parts."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="linear",
    summary="logistic or ridge regression, with splines or products of numbers where cross-validation gains by them",
    modalities=frozenset({"number", "category", "date", "text"}),
    among=frozenset({"number", "category", "date"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"loss", "weight_decay", "l1", "class_weights", "huber_delta"}),
    losses=frozenset({"cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"}),
    self_tuning=True,
)
