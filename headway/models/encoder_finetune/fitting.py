"""Fine-tune a base within the clock, and hand it on as one graph."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.encoders.tuned import Tuned
from headway.errors import TrainingError
from headway.models.encoder_finetune import continuing
from headway.models.encoder_finetune.choosing import suited
from headway.models.encoder_finetune.estimating import estimate_upper
from headway.models.encoder_finetune.export import graph_of
from headway.models.encoder_finetune.merging import merged
from headway.models.encoder_finetune.preparing import (
    Assignment,
    Ready,
    base_of,
    opened,
    start_head,
)
from headway.models.encoder_finetune.reading import Reader
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.going_on import GOES_ON_FROM
from headway.models.scratch import scratch_of
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
# Where time is left over, rows are seen up to so often, unless that many views are planned anyway.
WELL_SEEN = 5
# First steps at a rate that rises from 0: they would spoil the solved head where no more than a few fit the time.
GENTLE_STEPS = 50


def defaults(rows: int) -> Plan:
    """Return the plan for so many rows."""
    epochs = int(np.clip(round(VIEWS / max(1, rows)), 3, 10))
    return Plan(
        learning_rate=1.5e-4,
        layer_decay=0.9,
        weight_decay=0.01,
        dropout=0.1,
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
    began = time.perf_counter()
    plan = planned(recipe, task, defaults(len(train)))
    goes_on = valid is not None and settings is None and not math.isinf(clock.deadline)
    valid_share = 0.0 if valid is None else len(valid) / max(1, len(train))
    if goes_on:
        clock = Clock.after(clock.left() * continuing.share_of_time(valid_share))
    base = base_of(train)
    reader = Reader.of_rows(base, train)
    texts = reader.read(train.rows), None if valid is None else reader.read(valid.rows)
    more = WELL_SEEN if recipe.epochs is None and settings is None else 0
    assignment = Assignment(base, texts, train, task, plan, settings, seed, most_epochs=more)
    with scratch_of(train.support) as scratch:
        ready = opened(assignment, clock=clock, scratch=scratch)
        course = _course(ready, assignment, suited(plan, recipe, ready.choice), scratch, clock)
        trained = training.train(
            lambda: copied(ready.network),
            course.lesson,
            None if valid is None or ready.valid is None else Lesson(ready.valid, valid.y, valid.weight),
            task,
            course.plan,
            seed=seed,
            clock=clock,
            settings=course.settings,
            checkpoints=Checkpoints(scratch / assignment.name / "checkpoint.pt"),
        )
        told: dict[str, float | int | str | bool] = {"method": ready.choice.method, "depth": ready.choice.depth}
        spared = 0.0
        if goes_on and trained.best_epoch:
            continuing.keep(trained.network, assignment, scratch)
            told[GOES_ON_FROM] = assignment.name
            an_epoch = trained.seconds / len(trained.train_loss)
            spared = continuing.spared_seconds(time.perf_counter() - began, an_epoch, valid_share)
    if ready.choice.method == "lora":
        trained = merged(trained, _tuned(trained), texts[0])
    return Finetuned(trained, reader, told, spared)


@dataclass(frozen=True)
class _Course:
    """What a network learns from, and how; `settings` that fix the number of epochs, where there are any."""

    lesson: Lesson
    plan: Plan
    settings: Settings | None


def _course(ready: Ready, assignment: Assignment, plan: Plan, scratch: Path, clock: Clock) -> _Course:
    """Return the course from the base on, its head solved, or the rest of one that was begun on part of the rows."""
    train, settings = assignment.train, assignment.settings
    earlier = continuing.begun(settings, scratch, clock=clock)
    if earlier is None:
        start_head(ready.network, ready.train, assignment)
        return _Course(Lesson(ready.train, train.y, train.weight), plan, settings)
    ready.network.load_state_dict(earlier.values, strict=False)
    rows = earlier.positions(assignment)
    some = train.take(rows)
    return _Course(Lesson(ready.train.take(rows), some.y, some.weight), continuing.gentler(plan), None)


def _tuned(trained: Trained) -> Tuned:
    assert isinstance(trained.network, Tuned)
    return trained.network


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned encoder, adapters merged, with what reads its texts.

    `told`: what of it learnt, and how. `searching_seconds`: see `Fitted`.
    """

    trained: Trained
    reader: Reader
    told: Settings
    searching_seconds: float = 0.0

    @property
    def settings(self) -> Settings:
        """Return what learnt, and the number of epochs."""
        return {**self.trained.settings, **self.told}

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
