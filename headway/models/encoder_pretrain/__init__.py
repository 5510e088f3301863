"""Pretrain a text encoder on the project's own unlabelled texts, then fine-tune it."""

from __future__ import annotations

from headway.models.encoder_finetune import CARD as FINETUNE
from headway.models.family import Card

CARD = Card(
    name="encoder_pretrain",
    summary="a text encoder that first learns the language of the unlabelled rows, then is fine-tuned",
    modalities=FINETUNE.modalities,
    tasks=FINETUNE.tasks,
    honours=FINETUNE.honours,
    extra="deep",
    needs=FINETUNE.needs,
    elastic=True,
    base="text_encoder",
    base_optional=True,
    unlabelled=True,
)
