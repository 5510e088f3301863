"""The vectors of a frozen text encoder, and the best of several light heads on them."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="encoder_frozen",
    summary="vectors of a pretrained text encoder, computed once, with a light head",
    modalities=frozenset({"text", "number", "category", "date"}),
    usually_among=frozenset({"text"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset({"weight_decay", "class_weights"}),
    extra="deep",
    needs=("tokenizers", "safetensors"),
    self_tuning=True,
    base="text_encoder",
)
