"""Fit and export a constant answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.modalities.table import session
from headway.modalities.table.feeds import table_feeds
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.package.graph import Graph
from headway.runtime.manifest import Feed, ImageFeed
from headway.tasks import Classify, Task
from headway.tasks.recipe import Recipe


@dataclass(frozen=True)
class Constant:
    """A model that always gives `answer`, float32 `[labels]` or `[1]`."""

    answer: np.ndarray
    feed: Feed
    task: Task
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return the same probabilities, or value, for each row."""
        answers = np.repeat(self.answer[None, :], rows.height, axis=0)
        return answers if self.task.kind == "classify" else answers[:, 0]

    def graph(self) -> Graph:
        """Return a graph that repeats the answer once per row."""
        inputs = session.arguments((self.feed,))
        rows = op.shape(inputs[self.feed.name], start=0, end=1)
        shape = op.concat([rows, op.const(np.array([len(self.answer)], np.int64))], axis=0)
        output = op.expand(op.const(self.answer[None, :]), shape)
        name = "probabilities" if self.task.kind == "classify" else "values"
        return Graph(session.build(inputs, {name: output}), (self.feed,))


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Return next to nothing: counting is quick."""
    del task, recipe, seed
    return Estimate(seconds=0.01 + 1e-8 * len(train), memory_mb=1.0)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Constant:
    """Take the class frequencies (one more row of each class is imagined), the mean or the median of `train`."""
    del valid, settings, seed, clock
    feed = _cheapest_feed(train.inputs)
    weight = np.ones(len(train)) if train.weight is None else train.weight.astype(np.float64)
    if isinstance(task, Classify):
        counts = np.bincount(train.y, weights=weight, minlength=task.width) + 1.0
        return Constant((counts / counts.sum()).astype(np.float32), feed, task, {})
    value = float(np.median(train.y)) if recipe.loss in ("mae", "huber") else float(np.average(train.y, weights=weight))
    return Constant(np.array([value], np.float32), feed, task, {})


def _cheapest_feed(inputs: tuple[Column, ...]) -> Feed:
    """Return a feed that only tells how many rows there are."""
    tables = table_feeds(inputs)
    if tables:
        return tables[0]
    for column in inputs:
        if column.modality == "image":
            return ImageFeed(f"image:{column.name}:1x1:L", (column.name,), width=1, height=1, mode="L")
    raise TrainingError(
        "no input column can be read",
        expected="a column of text, numbers, categories, dates or images",
        got=", ".join(f"{c.name}: {c.modality}" for c in inputs) or "no columns",
    )
