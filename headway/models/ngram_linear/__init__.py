"""Character and word n-grams with a linear model: the strongest cheap candidate for text in any language."""

from __future__ import annotations

from headway.models.family import Card

CARD = Card(
    name="ngram_linear",
    summary="character and word n-grams, L2-normalised tf-idf, linear SVM or logistic regression; ridge for numbers",
    modalities=frozenset({"text"}),
    tasks=frozenset({"classify", "regress", "several"}),
    apart=True,
    honours=frozenset(
        {"loss", "weight_decay", "l1", "epochs", "class_weights", "focal_gamma", "huber_delta", "label_smoothing"}
    ),
)
