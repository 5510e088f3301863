"""Write rows as texts, solve a head on their vectors, and grow trees from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import polars as pl
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.encoders.exporting import Precision, base_model, pooled_columns
from headway.encoders.features import pace_of, unknown
from headway.encoders.precision import choose_precision
from headway.encoders.reading import row_feed, tokenizer_files
from headway.errors import TrainingError
from headway.modalities.table import session
from headway.modalities.table.features import Features, feature_nodes, transform
from headway.models.answers import answer, link
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.reading import Eyes, base_of
from headway.models.encoder_trees.starting import Lesson, Start, start_from
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.targets import TargetScale
from headway.models.trees import fitting as trees
from headway.models.trees.boosting import Growth
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Of the time, what may go into encoding; the rest is for the head and the trees.
_ENCODING_SHARE = 0.7
# Beside the training rows, those are encoded that it is judged by.
_JUDGED_SHARE = 0.25
# What solving the head takes of the time that the trees take, about.
_HEAD_SHARE = 0.5
_LARGEST = 30.0


@dataclass(frozen=True)
class EncoderTrees:
    """Trees over table features that go on from what a head says of the row's text."""

    start: Start
    features: Features
    growths: tuple[Growth, ...]
    target: TargetScale | None
    task: Task
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values; see `Fitted.predict`."""
        offset = bounded(self.start.read(rows))
        return answer(offset + trees.raw_scores(self.growths, transform(self.features, rows)), self.target)

    def graph(self) -> Graph:
        """Return the encoder, its head, the features and all trees as one graph."""
        eyes = self.start.eyes
        inputs = session.arguments(self.features.feeds)
        tokens = spox.Tensor(np.int64, ("rows", None))
        arguments: dict[str, Var] = {
            f"{feed.name}.{part}": spox.argument(tokens) for feed in eyes.feeds for part in ("ids", "mask")
        }
        constants = Constants()
        model = base_model(eyes.base, eyes.precision)
        pairs = [(arguments[f"{feed.name}.ids"], arguments[f"{feed.name}.mask"]) for feed in eyes.feeds]
        parts = [op.lp_normalization(pooled_columns(model, [pair], constants), axis=-1, p=2) for pair in pairs]
        offset = self.start.nodes(parts[0] if len(parts) == 1 else op.concat(parts, axis=1))
        offset = op.clip(offset, op.const(np.float32(-_LARGEST)), op.const(np.float32(_LARGEST)))
        scores = op.add(offset, trees.score_nodes(self.growths, feature_nodes(self.features, inputs)))
        onnx = constants.build({**inputs, **arguments}, link(scores, self.target))
        return Graph(onnx, (*self.features.feeds, *eyes.feeds), tokenizer_files(eyes.base))


def bounded(offset: np.ndarray) -> np.ndarray:
    """Return what a head says, cut to what changes no answer: a label that no row had would be beyond all trees."""
    return np.asarray(np.clip(offset, -_LARGEST, _LARGEST))


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time the encoder on a few rows and the trees on some thousand; texts that are kept already cost nothing."""
    base = base_of(train)
    eyes = Eyes(base, "float32", (row_feed(base, written(train)),), train.support.store)
    texts = sorted({text for own in eyes.texts(train.rows) for text in own})
    precision = choose_precision(base, texts, store=train.support.store)
    new = unknown(base, texts, precision, store=train.support.store)
    pace = pace_of(base, new or texts, precision)
    encoding = pace.text_seconds * len(new) * (1 + _JUDGED_SHARE)
    grown = trees.estimate(train, task, recipe, seed=seed)
    memory = 3 * base.size_mb + 200 + 12 * 384 * len(train) / 1e6
    seconds = encoding + grown.seconds * (1 + _HEAD_SHARE)
    return Estimate(seconds, grown.memory_mb + memory, tokens_per_second=pace.tokens_per_second)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> EncoderTrees:
    """Encode all rows, solve the head out of fold, and grow the trees from there; see `Family.fit`."""
    if clock.expired:
        raise TrainingError("the time ended before the rows were encoded", fix="raise budget.time")
    base, given = base_of(train), dict(settings or {})
    eyes = Eyes(base, "float32", (row_feed(base, written(train)),), train.support.store)
    precision = given.get("precision") or choose_precision(base, eyes.texts(train.rows)[0], store=eyes.store)
    eyes = replace(eyes, precision=cast("Precision", precision))
    encoding = clock if clock.left() == float("inf") else Clock.after(clock.left() * _ENCODING_SHARE)
    ground, features, target = trees.prepare(train, task, recipe, seed)
    vectors = Vectors(eyes.read(train.rows, encoding), ground.y, ground.weight)
    lesson = Lesson(vectors, train.y, task, recipe, target, seed)
    start, own, penalty = start_from(lesson, eyes, penalty=_penalty(given), clock=clock)
    ground = replace(ground, offset=bounded(own))
    held_out = None
    if settings is None and valid is not None and trees.holds_out(train):
        judged = trees.examined(valid, features, target, ground)
        held_out = replace(judged, offset=bounded(start.outputs(eyes.read(valid.rows, encoding))))
    grown = trees.choose_and_grow(ground, held_out, train.y, settings, clock)
    chosen: Settings = {**grown.settings, "penalty": penalty, "precision": eyes.precision}
    return EncoderTrees(start, features, grown.growths, target, task, chosen, grown.curves)


def written(train: Examples) -> tuple[Column, ...]:
    """Return the columns that are written into a row's text."""
    return tuple(column for column in train.inputs if column.modality in {"number", "category", "date", "text"})


def _penalty(given: Mapping[str, object]) -> float | None:
    return float(cast("float", given["penalty"])) if "penalty" in given else None
