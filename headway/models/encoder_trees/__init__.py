"""A row written as a text for a frozen encoder, and boosted trees on its columns, as one boosted model."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="encoder_trees",
    summary="rows written as text: a head on a frozen encoder's vectors, and boosted trees from where it leaves off",
    modalities=frozenset({"text", "number", "category", "date"}),
    among=frozenset({"number", "category", "date"}),
    # A row without words tells an encoder little: there it takes part where it is named.
    usually_among=frozenset({"text"}),
    tasks=frozenset({"classify", "regress"}),
    honours=frozenset(
        {"loss", "learning_rate", "weight_decay", "l1", "epochs", "early_stopping", "class_weights", "huber_delta"}
    ),
    losses=frozenset({"cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"}),
    extra="deep",
    needs=("tokenizers", "safetensors"),
    self_tuning=True,
    samples=False,
    base="text_encoder",
)
