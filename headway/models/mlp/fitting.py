"""Train and export the network for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.modalities.table import session
from headway.modalities.table.features import Features, feature_nodes, fit_features, rebase, transform
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.mlp.network import TableNet, network_nodes
from headway.models.targets import as_columns, fit_target_scale
from headway.models.threads import few_threads
from headway.networks import nodes, training
from headway.networks.batches import Arrays, Lesson
from headway.networks.plan import Plan, planned
from headway.networks.training import Build, Trained
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

_PROBE_ROWS = 2_000


@dataclass(frozen=True)
class Mlp:
    """A trained network over table features."""

    features: Features
    trained: Trained

    @property
    def settings(self) -> Settings:
        """Return the number of epochs."""
        return self.trained.settings

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss per epoch."""
        return (Curve("loss", self.trained.train_loss, self.trained.valid_loss),)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values; see `Fitted.predict`."""
        with few_threads(rows.height):
            return training.predict(self.trained, source(self.features, transform(self.features, rows)))

    def graph(self) -> Graph:
        """Return features and network as one graph."""
        inputs = session.arguments(self.features.feeds)
        matrix = feature_nodes(self.features, inputs)
        edge = nodes.integers([numbers_of(self.features)])
        axis = nodes.integers([1])
        numbers = op.slice(matrix, nodes.integers([0]), edge, axis)
        codes = op.slice(matrix, edge, nodes.integers([self.features.width]), axis)
        outputs = network_nodes(cast("TableNet", self.trained.network), numbers, codes)
        return Graph(session.build(inputs, nodes.answer(outputs, self.trained)), self.features.feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one `fit` by a few steps on some thousand rows."""
    few = train.take(np.random.default_rng(seed).permutation(len(train))[:_PROBE_ROWS])
    with few_threads(len(train)):
        plan = planned(recipe, task, defaults(len(train)))
        features, matrix = learn_features(few, task, seed=seed)
        lesson = Lesson(source(features, matrix), few.y)
        build = builder(features, task, plan, rows=len(train))
        seconds, memory = training.estimated(build, lesson, len(train), task, plan, seed=seed)
    return Estimate(seconds, memory + 1.2e-5 * matrix.shape[1] * len(train))


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Mlp:
    """Train within the clock; see `Family.fit`."""
    with few_threads(len(train)):
        plan = planned(recipe, task, defaults(len(train)))
        features, matrix = learn_features(train, task, seed=seed)
        exam = None
        if valid is not None:
            exam = Lesson(source(features, transform(features, valid.rows)), valid.y, valid.weight)
        lesson = Lesson(source(features, matrix), train.y, train.weight)
        build = builder(features, task, plan, rows=len(train))
        trained = training.train(build, lesson, exam, task, plan, seed=seed, clock=clock, settings=settings)
    return Mlp(features, trained)


def defaults(rows: int) -> Plan:
    """Return the plan for so many rows: few rows get small batches, more epochs and more dropout."""
    return Plan(
        learning_rate=2e-3,
        weight_decay=0.05,
        dropout=0.3 if rows < 5_000 else 0.15,
        batch_size=int(np.clip(2 ** round(np.log2(max(1, rows / 25))), 16, 512)),
        epochs=int(np.clip(200_000 / max(1, rows), 12, 40)),
        early_stopping=12,
        warmup=0.1,
        precision="float32",
    )


def learn_features(train: Examples, task: Task, *, seed: int) -> tuple[Features, np.ndarray]:
    """Return splines of the numbers and codes of the categories, and the training matrix."""
    y = train.y if task.kind == "classify" else fit_target_scale(train.y).forward(train.y)
    features, matrix = fit_features(train.rows, train.inputs, as_columns(y, task), style="codes", seed=seed)
    return rebase(features, train.rows, matrix, basis="hinges")


def numbers_of(features: Features) -> int:
    """Return how many of the features are numbers; the rest are codes."""
    return features.width - (0 if features.lookup is None else len(features.lookup.columns))


def source(features: Features, matrix: np.ndarray) -> Arrays:
    """Return the network's arguments: numbers float32 and codes int64."""
    edge = numbers_of(features)
    return Arrays((np.ascontiguousarray(matrix[:, :edge]), matrix[:, edge:].astype(np.int64)))


def builder(features: Features, task: Task, plan: Plan, *, rows: int) -> Build:
    """Return what makes an untrained network for these features."""
    levels = () if features.lookup is None else tuple(len(column.levels) + 1 for column in features.lookup.columns)
    return lambda: TableNet(
        numbers_of(features),
        levels,
        task.width,
        width=64 if rows < 5_000 else 128,
        blocks=1 if rows < 5_000 else 2,
        dropout=plan.dropout,
    )
