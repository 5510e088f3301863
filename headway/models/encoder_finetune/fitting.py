"""Fine-tune a base within the clock, and hand it on as one graph."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.encoders.tuned import Tuned
from headway.errors import TrainingError
from headway.models.encoder_finetune.choosing import Choice, suited
from headway.models.encoder_finetune.estimating import estimate_upper
from headway.models.encoder_finetune.export import graph_of
from headway.models.encoder_finetune.merging import merged
from headway.models.encoder_finetune.preparing import Assignment, base_of, prepare, scratch_of
from headway.models.encoder_finetune.reading import Reader
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.networks import training
from headway.networks.batches import Lesson
from headway.networks.checkpoints import Checkpoints
from headway.networks.plan import Plan, planned
from headway.networks.timing import copied
from headway.networks.training import Trained, predict
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Rows seen in all epochs together; few rows are seen more often.
VIEWS = 20_000
# Of the time for choosing, the share that the fit on part of the rows may take: the refit on all needs the rest.
BEFORE_REFIT = 0.42
# First steps at a rate that rises from 0: they would spoil the solved head where no more than a few fit the time.
GENTLE_STEPS = 50


def defaults(rows: int) -> Plan:
    """Return the plan for so many rows."""
    epochs = int(np.clip(round(VIEWS / max(1, rows)), 3, 10))
    return Plan(
        learning_rate=2e-4,
        layer_decay=0.85,
        weight_decay=0.01,
        batch_size=32 if rows >= 1_000 else 16,
        epochs=epochs,
        schedule="linear",
        warmup=0.1,
        early_stopping=max(2, epochs // 3),
        clip=1.0,
        criterion="error",
        solved=True,
        gentle_steps=GENTLE_STEPS,
    )


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate a fit of half of the layers from the speed on this machine."""
    plan = planned(recipe, task, defaults(len(train)))
    return estimate_upper(train, epochs=plan.epochs, layers=1 / 2, valid=1 / 8, seed=seed, rows=True)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Finetuned:
    """Train within the clock; see `Family.fit`."""
    if clock.expired:
        raise TrainingError("the time ended before the texts were read", fix="raise budget.time")
    if valid is not None and settings is None and not math.isinf(clock.deadline):
        clock = Clock.after(clock.left() * BEFORE_REFIT)
    base = base_of(train)
    plan = planned(recipe, task, defaults(len(train)))
    reader = Reader.of_rows(base, train)
    texts = reader.read(train.rows), None if valid is None else reader.read(valid.rows)
    assignment = Assignment(base, texts, train, task, plan, settings, seed)
    with scratch_of(train.support) as scratch:
        ready = prepare(assignment, clock=clock, scratch=scratch)
        trained = training.train(
            lambda: copied(ready.network),
            Lesson(ready.train, train.y, train.weight),
            None if valid is None or ready.valid is None else Lesson(ready.valid, valid.y, valid.weight),
            task,
            suited(plan, recipe, ready.choice),
            seed=seed,
            clock=clock,
            settings=settings,
            checkpoints=Checkpoints(scratch / assignment.name / "checkpoint.pt"),
        )
    if ready.choice.method == "lora":
        trained = merged(trained, _tuned(trained), texts[0])
    return Finetuned(trained, reader, ready.choice)


def _tuned(trained: Trained) -> Tuned:
    assert isinstance(trained.network, Tuned)
    return trained.network


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned encoder, adapters merged, with what reads its texts."""

    trained: Trained
    reader: Reader
    choice: Choice

    @property
    def settings(self) -> Settings:
        """Return what learnt, and the number of epochs."""
        return {**self.trained.settings, "method": self.choice.method, "depth": self.choice.depth}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss, and the validation error rate, per epoch."""
        loss = Curve("loss", self.trained.train_loss, self.trained.valid_loss)
        if self.trained.task.kind == "regress" or not self.trained.error:
            return (loss,)
        return loss, Curve("error rate", (), self.trained.error)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values of the trained network."""
        return predict(self.trained, self.reader.read(rows))

    def graph(self) -> Graph:
        """Return the network as ONNX; tokens come in through the feeds."""
        return graph_of(self.trained, _tuned(self.trained), self.reader)
