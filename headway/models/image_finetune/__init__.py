"""Fine-tune a pretrained image encoder: its last blocks, or all of it."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED

CARD = Card(
    name="image_finetune",
    summary="a pretrained image encoder, its last blocks (or all) trained on from the solution of a linear head",
    modalities=frozenset({"image"}),
    tasks=frozenset({"classify", "regress"}),
    honours=HONOURED,
    extra="deep",
    needs=("torch", "transformers", "safetensors"),
    elastic=True,
    base="image_encoder",
)
