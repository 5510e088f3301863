"""Read every image once with a pretrained encoder, and fit a linear head on what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.encoders.images.backbone import Backbone, feature_nodes, image_inputs, open_backbone, size_for
from headway.encoders.images.reading import count_unread, read_features, seconds_a_row, seconds_an_image
from headway.errors import TrainingError
from headway.modalities.image.framing import frame_for
from headway.models.answers import link
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.heads import DEFAULT_PENALTY, PENALTIES, Exam, Head, fit_head
from headway.models.mirroring import is_better, may_mirror
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

PROBED = 24
# Images whose being stored is looked up for the estimate.
LOOKED_UP = 256
# Floating-point operations that solving one head takes for each feature, row and label; measured speed of one core.
_OPERATIONS, _SPEED = 600.0, 5e9


@dataclass(frozen=True)
class FittedImages:
    """A head on a frozen encoder. `mirrored`: features are means over an image and its mirror image."""

    head: Head
    backbone: Backbone
    columns: tuple[str, ...]
    mirrored: bool
    store: Path | None
    curves: tuple[Curve, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return the penalty, the size in pixels and whether mirror images are read too."""
        return {"penalty": self.head.penalty, "size": self.backbone.picture.size, "mirrored": self.mirrored}

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values."""
        features = read_columns(self.backbone, rows, self.columns, self.store, Clock(), mirrored=self.mirrored)
        return self.head.predict(features)

    def graph(self) -> Graph:
        """Return encoder, head and softmax as ONNX, from uint8 pixels on."""
        constants = Constants()
        inputs = image_inputs(self.columns, self.backbone.frame)
        features = feature_nodes(
            self.backbone.onnx,
            inputs,
            constants,
            picture=self.backbone.picture,
            width=self.backbone.width,
            mirrored=self.mirrored,
        )
        weights = constants.hold(self.head.line.weights.astype(np.float32))
        outputs = op.gemm(features, weights, op.const(self.head.line.bias.astype(np.float32)))
        feeds = tuple(self.backbone.frame.feed(column) for column in self.columns)
        return Graph(constants.build(inputs, link(outputs, self.head.target)), feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:  # noqa: ARG001 - nothing is drawn
    """Estimate one `fit` by reading a few images for real; what the store holds already costs nothing."""
    columns, store = train.columns("image"), train.support.store
    backbone = open_backbone(train.support.base, size=choose_size(train, columns), store=store)
    cells = [cell for column in columns for cell in train.rows[column].to_list()]
    looked_up = cells[:: max(1, len(cells) // LOOKED_UP)]
    unread = len(cells) * count_unread(backbone, looked_up, store=store) / len(looked_up)
    reading = unread * seconds_an_image(backbone, cells[:: max(1, len(cells) // PROBED)][:PROBED])
    width = backbone.width * len(columns)
    strengths = 1 if recipe.weight_decay is not None else len(PENALTIES)
    solving = strengths * _OPERATIONS * len(train) * width * task.width / _SPEED
    # The features in single precision, standardised ones, and the solver's own copy; the encoder's activations.
    memory = len(train) * width * 4 * 4 / 1e6 + 4 * len(backbone.onnx) / 1e6 + 150
    return Estimate(reading + solving, memory)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> FittedImages:
    """Fit the head, its penalty chosen on `valid`, and try whether mirror images help; see `Family.fit`."""
    columns, store = train.columns("image"), train.support.store
    given = settings or {}
    size = int(given["size"]) if "size" in given else choose_size(train, columns)
    backbone = open_backbone(train.support.base, size=size, store=store)
    penalty = float(given["penalty"]) if "penalty" in given else None if valid is not None else DEFAULT_PENALTY

    def fitted(*, mirrored: bool) -> tuple[Head, Exam | None]:
        features = read_columns(backbone, train.rows, columns, store, clock, mirrored=mirrored)
        exam = None
        if valid is not None:
            exam = Exam(read_columns(backbone, valid.rows, columns, store, clock, mirrored=mirrored), valid)
        return fit_head(features, train, exam, task, recipe, penalty=penalty, seed=seed, clock=clock), exam

    mirrored = bool(given.get("mirrored", False))
    began = time.monotonic()
    head, exam = fitted(mirrored=mirrored)
    spent = time.monotonic() - began
    row_seconds = partial(seconds_a_row, backbone, 2 * len(columns))
    if settings is None and exam is not None and may_mirror(clock, spent, train.support.latency_ms, row_seconds):
        try:
            other, other_exam = fitted(mirrored=True)
        except TrainingError:  # the time ended: the plain head stands
            other_exam = None
        if other_exam is not None:
            new, old = other.predict(other_exam.features), head.predict(exam.features)
            if is_better(new, old, exam.examples, task, recipe):
                head, mirrored = other, True
    return FittedImages(head, backbone, columns, mirrored, store)


def choose_size(train: Examples, columns: tuple[str, ...]) -> int | None:
    """Return the size in pixels to read images at; None (the base's own) where there is no base to ask."""
    base = train.support.base
    cells = [cell for column in columns for cell in train.rows[column].to_list()]
    return None if base is None else size_for(base, frame_for(cells, longest=1 << 16))


def read_columns(
    backbone: Backbone,
    rows: pl.DataFrame,
    columns: tuple[str, ...],
    store: Path | None,
    clock: Clock,
    *,
    mirrored: bool,
) -> np.ndarray:
    """Return float32 `[n, columns * width]` features, column by column."""
    parts = [
        read_features(backbone, rows[column].to_list(), store=store, clock=clock, mirrored=mirrored)
        for column in columns
    ]
    return np.concatenate(parts, axis=1)
