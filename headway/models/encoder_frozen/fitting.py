"""Encode, choose a head, and ship both as one graph."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.exporting import Precision, base_model, pooled_columns
from headway.encoders.features import features, seconds_for
from headway.encoders.precision import choose_precision
from headway.encoders.reading import token_feed, tokenizer_files
from headway.errors import TrainingError
from headway.models.answers import answer, link
from headway.models.encoder_frozen.choosing import choose
from headway.models.encoder_frozen.heads import DEFAULT, SOLVE, Head, Vectors
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.targets import TargetScale, fit_target_scale
from headway.models.weighting import row_weights
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Share of the time that is kept for the head after the texts were encoded.
_HEAD_SHARE = 0.2
_PROBED_ROWS = 400


@dataclass(frozen=True)
class Eyes:
    """How rows become vectors: base, precision, text columns, and where vectors are kept."""

    base: Base
    precision: Precision
    columns: tuple[str, ...]
    store: Path | None

    def read(self, rows: pl.DataFrame, clock: Clock | None = None) -> np.ndarray:
        """Return float32 `[n, columns * hidden]`; each column's part has the length 1."""
        parts = []
        for column in self.columns:
            texts = rows[column].fill_null("").to_list()
            found = features(self.base, texts, self.precision, store=self.store, clock=clock)
            parts.append(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class FrozenEncoder:
    """A head on the vectors of a base."""

    eyes: Eyes
    head: Head
    target: TargetScale | None
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values."""
        return answer(self.head.outputs(self.eyes.read(rows)), self.target)

    def graph(self) -> Graph:
        """Return encoder and head as one graph."""
        base, columns = self.eyes.base, self.eyes.columns
        feeds = tuple(token_feed(base, column) for column in columns)
        tokens = spox.Tensor(np.int64, ("rows", None))
        arguments: dict[str, Var] = {
            f"{feed.name}.{part}": spox.argument(tokens) for feed in feeds for part in ("ids", "mask")
        }
        pairs = [(arguments[f"{feed.name}.ids"], arguments[f"{feed.name}.mask"]) for feed in feeds]
        constants = Constants()
        model = base_model(base, self.eyes.precision)
        parts = [op.lp_normalization(pooled_columns(model, [pair], constants), axis=-1, p=2) for pair in pairs]
        x = parts[0] if len(parts) == 1 else op.concat(parts, axis=1)
        weights = op.const(self.head.weights.astype(np.float32))
        outputs = op.gemm(x, weights, op.const(self.head.bias.astype(np.float32)))
        return Graph(constants.build(arguments, link(outputs, self.target)), feeds, tokenizer_files(base))


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time the encoder on a few texts and the head on a few rows; texts that are kept already cost nothing."""
    base = _base(train)
    columns = train.columns("text")
    texts = [text for column in columns for text in train.rows[column].fill_null("").unique().to_list()]
    precision = choose_precision(base, texts, store=train.support.store)
    encoding = seconds_for(base, texts, precision)
    generator = np.random.default_rng(seed)
    width = 384 * len(columns)
    few = min(len(train), _PROBED_ROWS)
    x = generator.normal(size=(few, width)).astype(np.float32) / np.sqrt(width)
    y = train.y[generator.permutation(len(train))[:few]]
    name, penalty = DEFAULT[task.kind]
    began = time.perf_counter()
    SOLVE[name](Vectors(x, y, np.ones(few)), task, penalty, None, Clock())
    heads = (time.perf_counter() - began) * 6 * len(train) / few
    del recipe
    memory = 3 * base.size_mb + 200 + 12 * width * len(train) / 1e6
    return Estimate(encoding + heads + 0.5, memory)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,  # noqa: ARG001 - nothing here is random
    clock: Clock,
) -> FrozenEncoder:
    """Encode all texts, then choose the head on `valid`; see `Family.fit`."""
    base, columns = _base(train), train.columns("text")
    if clock.expired:
        raise TrainingError("the time ended before the texts were encoded", fix="raise budget.time")
    given = dict(settings or {})
    texts = [text for column in columns for text in train.rows[column].fill_null("").to_list()]
    precision = given.get("precision") or choose_precision(base, texts, store=train.support.store)
    eyes = Eyes(base, cast("Precision", precision), columns, train.support.store)
    encoding = clock if clock.left() == float("inf") else Clock.after(clock.left() * (1 - _HEAD_SHARE))
    target = fit_target_scale(train.y) if task.kind == "regress" else None
    vectors = _vectors(eyes, train, task=task, recipe=recipe, target=target, clock=encoding)
    name, penalty = DEFAULT[task.kind]
    name, penalty = str(given.get("head", name)), float(given.get("penalty", penalty))
    if valid is not None and settings is None:
        exam = _vectors(eyes, valid, task=task, recipe=recipe, target=target, clock=encoding)
        name, penalty, head = choose(vectors, exam, valid.y, task=task, recipe=recipe, target=target, clock=clock)
    else:
        penalty = penalty if recipe.weight_decay is None else recipe.weight_decay
        head = SOLVE[name](vectors, task, penalty, None, Clock())
    chosen: Settings = {"head": name, "penalty": penalty, "precision": eyes.precision}
    return FrozenEncoder(eyes, head, target, chosen)


def _vectors(
    eyes: Eyes, examples: Examples, *, task: Task, recipe: Recipe, target: TargetScale | None, clock: Clock
) -> Vectors:
    y = examples.y if target is None else target.forward(examples.y)
    return Vectors(eyes.read(examples.rows, clock), y, row_weights(examples, task, recipe))


def _base(train: Examples) -> Base:
    """Return the base of the run; raises `TrainingError` without one."""
    if train.support.base is None:
        raise TrainingError("a frozen encoder needs a base model", fix="name one: `base: auto`, or a folder")
    return train.support.base
