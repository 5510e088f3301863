"""Train the network on tokens of a tokenizer trained on the same texts."""

from __future__ import annotations

import numpy as np

from headway.models.lstm.network import TextLSTM, nodes
from headway.models.text_network import Design
from headway.networks.plan import Plan

# Texts to look at in all epochs together; few texts are seen more often.
VIEWS = 40_000


def defaults(rows: int) -> Plan:
    """Return the plan for so many texts."""
    epochs = int(np.clip(round(VIEWS / max(1, rows)), 6, 40))
    return Plan(
        learning_rate=3e-3,
        weight_decay=0.02,
        dropout=0.5,
        batch_size=64 if rows >= 1000 else 32,
        epochs=epochs,
        warmup=0.1,
        early_stopping=max(3, epochs // 3),
        clip=1.0,
        threads=1,
    )


DESIGN = Design(TextLSTM, nodes, defaults)
estimate = DESIGN.estimate
fit = DESIGN.fit
