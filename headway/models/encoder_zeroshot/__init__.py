"""What the labels' own words say of each text: no training label is looked at."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="encoder_zeroshot",
    summary="the words of the labels compared with the texts by a pretrained encoder; learns from no label",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify"}),
    extra="deep",
    needs=("tokenizers", "safetensors"),
    most_rows_a_label=64,
    base="text_encoder",
)
