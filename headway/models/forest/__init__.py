"""Forests of randomised trees (extra-trees and random forests)."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="forest",
    summary="a few hundred randomised trees averaged (extra-trees or random forest)",
    modalities=frozenset({"number", "category", "date", "text"}),
    among=frozenset({"number", "category", "date"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"epochs", "class_weights"}),
    self_tuning=True,
)
