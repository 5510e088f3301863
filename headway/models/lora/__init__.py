"""Fine-tune a pretrained decoder: low-rank adapters on every linear map, learnt from answers, then from preferences."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="lora",
    summary="a pretrained decoder with LoRA adapters, taught by answers (and by pairs of them), merged when it ships",
    modalities=frozenset({"text"}),
    tasks=frozenset({"generate"}),
    honours=frozenset(
        {
            "loss",
            "learning_rate",
            "weight_decay",
            "epochs",
            "batch_size",
            "schedule",
            "warmup",
            "early_stopping",
            "clip",
            "lora_rank",
            "dpo_beta",
        }
    ),
    losses=frozenset({"cross_entropy", "dpo"}),
    extra="deep",
    needs=("torch", "tokenizers"),
    elastic=True,
    base="decoder",
)
