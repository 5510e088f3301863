"""Fine-tune a base under the heads of all targets within the clock, and hand it on as one graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.apart import recipe_of
from headway.models.encoder_finetune.choosing import Choice, suited
from headway.models.encoder_finetune.estimating import estimate_upper
from headway.models.encoder_finetune.export import graph_of
from headway.models.encoder_finetune.fitting import defaults
from headway.models.encoder_finetune.merging import merged
from headway.models.encoder_finetune.preparing import Assignment, base_of, opened
from headway.models.encoder_finetune.reading import Reader
from headway.models.encoder_multitask.heading import start_heads
from headway.models.encoder_multitask.network import Goal, Multitask, goals_of, scaled
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.scratch import scratch_of
from headway.networks import training
from headway.networks.batches import Lesson
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import limited
from headway.networks.nodes import answer, integers
from headway.networks.plan import Plan, planned
from headway.networks.timing import copied
from headway.networks.trained import Trained, answers_of, outputs_of
from headway.package.graph import Graph
from headway.tasks import Several, Task
from headway.tasks.recipe import Recipe

# Of the time, the share that the fit on part of the rows may take: the refit on all needs the rest.
BEFORE_REFIT = 0.42


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate a fit of half of the layers from the speed on this machine; the heads cost next to nothing."""
    plan = _plans(recipe, task, len(train))[0]
    return estimate_upper(train, epochs=plan.epochs, layers=1 / 2, valid=1 / 8, seed=seed)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Multitasked:
    """Train within the clock; see `Family.fit`."""
    assert isinstance(task, Several)
    if clock.expired:
        raise TrainingError("the time ended before the texts were read", fix="raise budget.time")
    if valid is not None and settings is None and not math.isinf(clock.deadline):
        clock = Clock.after(clock.left() * BEFORE_REFIT)
    base, plans = base_of(train), _plans(recipe, task, len(train))
    goals = goals_of(train.y, train.weight, task, plans)
    reader = Reader.of(base, train)
    texts = reader.read(train.rows), None if valid is None else reader.read(valid.rows)
    assignment = Assignment(base, texts, train, task, plans[0], settings, seed)
    with scratch_of(train.support) as scratch:
        ready = opened(assignment, clock=clock, scratch=scratch)
        start_heads(ready.network, ready.train, assignment, goals)
        exam = None
        if valid is not None and ready.valid is not None:
            exam = Lesson(ready.valid, scaled(valid.y, goals), valid.weight)
        trained = training.train(
            lambda: Multitask(copied(ready.network), goals),  # type: ignore[arg-type]
            Lesson(ready.train, scaled(train.y, goals), train.weight),
            exam,
            task,
            suited(plans[0], recipe, ready.choice),
            seed=seed,
            clock=clock,
            settings=settings,
            checkpoints=Checkpoints(scratch / assignment.name / "checkpoint.pt"),
        )
    if ready.choice.method == "lora":
        trained = merged(trained, cast("Multitask", trained.network).tuned, texts[0])
    return Multitasked(trained, task, goals, reader, ready.choice)


def _plans(recipe: Recipe, task: Task, rows: int) -> tuple[Plan, ...]:
    """Return the plan of each target: they differ in the loss and what belongs to it alone."""
    assert isinstance(task, Several)
    return tuple(planned(recipe_of(recipe, part.task), part.task, defaults(rows)) for part in task.parts)


@dataclass(frozen=True)
class Multitasked:
    """A fine-tuned encoder with a head for each target, adapters merged, with what reads its texts."""

    trained: Trained
    task: Several
    goals: tuple[Goal, ...]
    reader: Reader
    choice: Choice

    @property
    def settings(self) -> Settings:
        """Return what learnt, and the number of epochs."""
        return {**self.trained.settings, "method": self.choice.method, "depth": self.choice.depth}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the balanced loss, and the validation error over all targets, per epoch."""
        loss = Curve("loss", self.trained.train_loss, self.trained.valid_loss)
        return (loss, Curve("mean error", (), self.trained.error)) if self.trained.error else (loss,)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, width]`, the answers for all targets side by side."""
        with torch.inference_mode(), limited(self.trained.plan.threads):
            outputs = outputs_of(self.trained.network, self.reader.read(rows), torch.device("cpu"))
            parts = [
                answers_of(outputs[:, goal.span], part) for goal, part in zip(self.goals, self._parts(), strict=True)
            ]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    def graph(self) -> Graph:
        """Return the network as ONNX with an output for each target; tokens come in through the feeds."""
        tuned = cast("Multitask", self.trained.network).tuned
        return graph_of(self.trained, tuned, self.reader, close=lambda outputs, _: self._close(outputs))

    def _close(self, outputs: Var) -> dict[str, Var]:
        """Return the answers for all targets by name."""
        answers: dict[str, Var] = {}
        for target, goal, part in zip(self.task.parts, self.goals, self._parts(), strict=True):
            own = op.slice(outputs, integers([goal.span.start]), integers([goal.span.stop]), integers([1]))
            (answers[target.output],) = answer(own, part).values()
        return answers

    def _parts(self) -> Sequence[Trained]:
        """Return the trained network as if it had one target alone."""
        return [
            replace(self.trained, task=part.task, plan=goal.plan, scale=goal.scale)
            for part, goal in zip(self.task.parts, self.goals, strict=True)
        ]
