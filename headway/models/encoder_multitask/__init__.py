"""Fine-tune one pretrained text encoder for several targets at once."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED_FROM_BASE

CARD = Card(
    name="encoder_multitask",
    summary="one pretrained text encoder for all targets, its upper layers trained under a head for each",
    modalities=frozenset({"text"}),
    tasks=frozenset({"several"}),
    honours=HONOURED_FROM_BASE - {"augment", "r_drop"},
    extra="deep",
    needs=("torch", "transformers", "peft"),
    elastic=True,
    base="text_encoder",
)
