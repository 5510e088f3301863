"""A pretrained text encoder taught by comparisons, for 2 to 64 rows a label."""

from __future__ import annotations

from headway.models.family import Card
from headway.networks.plan import HONOURED_FROM_BASE

CARD = Card(
    name="encoder_fewshot",
    summary="a pretrained text encoder whose upper layers learn by comparing texts with each other and with the labels",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify"}),
    honours=HONOURED_FROM_BASE - {"augment", "loss", "focal_gamma", "early_stopping", "r_drop"},
    extra="deep",
    needs=("torch", "transformers", "peft"),
    elastic=True,
    most_rows_a_label=64,
    base="text_encoder",
)
