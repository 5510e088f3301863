"""Fine-tune a pretrained text encoder: its upper layers, all of them, or adapters beside them."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED_FROM_BASE

CARD = Card(
    name="encoder_finetune",
    summary="a pretrained text encoder, its upper layers (or LoRA adapters) trained from the solution of a linear head",
    modalities=frozenset({"text", "number", "category", "date"}),
    usually_among=frozenset({"text"}),
    tasks=frozenset({"classify", "regress"}),
    honours=HONOURED_FROM_BASE - {"augment"},
    extra="deep",
    needs=("torch", "transformers", "peft"),
    elastic=True,
    base="text_encoder",
)
