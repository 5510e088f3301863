"""A small decoder-only transformer, trained on the user's text from scratch."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="gpt",
    summary="a transformer that writes: rotary positions, RMSNorm, SwiGLU; trained from scratch on your text",
    modalities=frozenset({"text"}),
    tasks=frozenset({"generate"}),
    honours=frozenset(
        {"optimizer", "learning_rate", "weight_decay", "dropout", "epochs", "batch_size", "schedule", "warmup", "clip"}
    ),
    extra="deep",
    needs=("torch", "tokenizers"),
    elastic=True,
)
