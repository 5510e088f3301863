"""Start from the head that the frozen encoder's vectors allow, then let the upper layers learn by comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.encoder_fewshot.contrast import Contrast
from headway.models.encoder_finetune.choosing import Choice, suited
from headway.models.encoder_finetune.estimating import estimate_upper
from headway.models.encoder_finetune.export import graph_of
from headway.models.encoder_finetune.merging import merged
from headway.models.encoder_finetune.preparing import Assignment, Ready, base_of, opened
from headway.models.encoder_finetune.reading import Reader, pooled_of
from headway.models.encoder_frozen.choosing import choose, cross_validated
from headway.models.encoder_frozen.heads import DEFAULT, Head, Vectors
from headway.models.encoder_frozen.lens import Lens
from headway.models.encoder_frozen.material import Material, Setting, solved
from headway.models.encoder_frozen.reading import word_vectors
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.scratch import remembered, scratch_of
from headway.models.weighting import row_weights
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
VIEWS = 4_000
# Of the time of a fold, what it may take: the refit on all rows needs as much again as a fold and a half.
BEFORE_REFIT = 0.6
_PROBED = 128


def defaults(rows: int) -> Plan:
    """Return the plan for so many rows."""
    return Plan(
        learning_rate=3e-4,
        layer_decay=0.85,
        weight_decay=0.01,
        batch_size=32,
        epochs=int(np.clip(round(VIEWS / max(1, rows)), 4, 12)),
        schedule="cosine",
        warmup=0.1,
        clip=1.0,
        solved=True,
    )


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate a fit of a third of the layers from the speed on this machine."""
    plan = planned(recipe, task, defaults(len(train)))
    return estimate_upper(train, epochs=plan.epochs, layers=1 / 3, valid=0.0, seed=seed)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Fewshot:
    """Solve the head, then train for so many epochs as fit the clock; `valid` decides nothing. See `Family.fit`."""
    if clock.expired:
        raise TrainingError("the time ended before the texts were read", fix="raise budget.time")
    if valid is not None and settings is None and not math.isinf(clock.deadline):
        clock = Clock.after(clock.left() * BEFORE_REFIT)
    base, plan = base_of(train), planned(recipe, task, defaults(len(train)))
    reader = Reader.of(base, train)
    texts = reader.read(train.rows)
    assignment = Assignment(base, (texts, None), train, task, plan, settings, seed)
    with scratch_of(train.support) as place:
        scratch = place / "encoder_fewshot"
        scratch.mkdir(exist_ok=True)
        ready = opened(assignment, clock=clock, scratch=scratch, normalise=True)
        kept = scratch / f"head-{assignment.way}.json"
        start = _start(ready, reader, assignment, recipe, kept=kept, clock=clock)
        trained = training.train(
            lambda: Contrast(copied(ready.network), start.lens, start.head, smoothing=plan.label_smoothing),  # type: ignore[arg-type]
            Lesson(ready.train, train.y, train.weight),
            None,
            task,
            suited(plan, recipe, ready.choice),
            seed=seed,
            clock=clock,
            settings=settings,
            checkpoints=Checkpoints(scratch / assignment.name / "checkpoint.pt"),
        )
    network = cast("Contrast", trained.network)
    if ready.choice.method == "lora":
        trained = merged(trained, network.tuned, texts)
    return Fewshot(trained, reader, ready.choice, start.setting, start.lens)


@dataclass(frozen=True)
class Start:
    """The head to start from, what it was solved with, and the lens before it."""

    head: Head
    setting: Setting
    lens: Lens


def _start(ready: Ready, reader: Reader, assignment: Assignment, recipe: Recipe, *, kept: Path, clock: Clock) -> Start:
    """Solve the head as `encoder_frozen` does, on the pooled outputs of the base as it is.

    Its setting is chosen by the first fold, for all of them and for a fit that was killed, and is `kept`.
    """
    train, task, settings = assignment.train, assignment.task, assignment.settings
    pooled = pooled_of(ready.train, ready.network)
    lens, words = Lens.of(pooled), _words(ready, reader, task)
    rows = Vectors(lens(pooled), train.y, row_weights(train, task, recipe))
    material = Material(rows, None if words is None else lens.words(words))

    def chosen() -> Setting:
        exams = cross_validated(material, train.y, task, seed=assignment.seed)
        if not exams:
            return Setting(*DEFAULT["classify"])
        plain = replace(recipe, weight_decay=None)  # what a user says of it holds for the layers
        return choose(exams, task=task, recipe=plain, target=None, clock=clock, few=True).setting

    if settings is not None and "penalty" in settings:
        numbers = {name: float(settings[name]) for name in ("penalty", "words", "scale")}
        setting = Setting(str(settings["head"]), **numbers)
    else:
        setting = remembered(kept, Setting, chosen)
    return Start(solved(material, setting, task), setting, lens)


def _words(ready: Ready, reader: Reader, task: Task) -> np.ndarray | None:
    """Return the pooled outputs of the labels' words; None where a label says nothing."""
    columns = [feed.columns[0] for feed in reader.feeds]
    return word_vectors(
        lambda words: pooled_of(reader.read(pl.DataFrame(dict.fromkeys(columns, words))), ready.network), task
    )


@dataclass(frozen=True)
class Fewshot:
    """An encoder that learnt by comparison, adapters merged, with what reads its texts."""

    trained: Trained
    reader: Reader
    choice: Choice
    setting: Setting
    lens: Lens

    @property
    def settings(self) -> Settings:
        """Return what learnt, for how many epochs, and from which head."""
        return {
            "epochs": self.trained.epochs,
            "method": self.choice.method,
            "depth": self.choice.depth,
            **self.setting.told,
        }

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss per epoch."""
        return (Curve("loss", self.trained.train_loss),)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities of the trained network."""
        return predict(self.trained, self.reader.read(rows))

    def graph(self) -> Graph:
        """Return the network as ONNX; tokens come in through the feeds."""
        tuned = cast("Contrast", self.trained.network).tuned
        return graph_of(self.trained, tuned, self.reader, self.lens.nodes)
