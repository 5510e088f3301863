"""Train the network on tokens of a tokenizer trained on the same texts."""

from __future__ import annotations

import numpy as np

from headway.compute.clock import Clock
from headway.models.family import Estimate, Examples, Settings
from headway.models.lstm.network import TextLSTM, nodes
from headway.models.text_network import Design, TextNetwork, estimate_text, fit_text
from headway.networks.plan import Plan
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Texts to look at in all epochs together; few texts are seen more often.
VIEWS = 40_000


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one `fit` by a few steps on a few hundred rows."""
    return estimate_text(DESIGN, train, task, recipe, seed=seed)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> TextNetwork:
    """Train within the clock; see `Family.fit`."""
    return fit_text(DESIGN, train, valid, task, recipe, settings=settings, seed=seed, clock=clock)


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
