"""Train the last blocks of a pretrained image encoder, or all of it, from the solution of a linear head on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
import torch
from torch import nn

from headway.bases.architectures import OWN
from headway.bases.base import Base, Picture
from headway.bases.loading import load_image_encoder
from headway.compute.clock import Clock
from headway.encoders.images.backbone import (
    feature_nodes,
    image_inputs,
    open_backbone,
    picture_of,
    size_for,
    translated,
)
from headway.errors import TrainingError
from headway.modalities.image.framing import Frame, frame_for
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.heads import DEFAULT_PENALTY, Exam, Head, fit_head
from headway.models.image_finetune.answering import answered, gains_by_mirroring, seconds_a_row
from headway.models.image_finetune.network import FIRST_TUNED, Tuned
from headway.models.image_finetune.reading import Columns, read_source
from headway.models.image_finetune.resuming import Views, name_of
from headway.models.mirroring import may_mirror
from headway.models.scratch import remembered, scratch_of
from headway.networks import nodes, training
from headway.networks.augmentation import Strength, strength_for
from headway.networks.batches import Lesson, Source, sequential
from headway.networks.checkpoints import Checkpoints
from headway.networks.plan import Plan, planned
from headway.networks.training import Build, Trained
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# In settings: no cut, all of the encoder is trained.
WHOLE = -1
# Kept views of each image, and the megabytes they may take.
VIEWS, VIEWS_MB = 4, 500.0
# The share of the time that making the views may take.
READING_SHARE = 0.3
PROBED = 32
_EVALUATED = 64


@dataclass(frozen=True)
class Setup:
    """How an encoder is trained: from the block `cut` on (None: all of it) on `views` of each image, at `picture`."""

    base: Base
    picture: Picture
    cut: int | None
    views: int
    strength: Strength

    @property
    def frame(self) -> Frame:
        """Return how images are read."""
        return Frame(self.picture.size, self.picture.size, "RGB")

    def network(self, task: Task, columns: int, dropout: float, head: Head | None = None) -> Tuned:
        """Return the encoder as it came, under a head that is solved already, or empty."""
        encoder = load_image_encoder(self.base)
        with torch.inference_mode():
            width = encoder(torch.zeros(1, 3, self.picture.size, self.picture.size)).shape[1]
        linear = nn.Linear(width * columns, task.width)
        if head is not None:
            fill(linear, head)
        return Tuned(encoder, self.picture, cut=self.cut, head=linear, dropout=dropout)


@dataclass(frozen=True)
class FittedEncoder:
    """A trained encoder with its head. `mirrored`: it answers by the mean over an image and its mirror image."""

    trained: Trained
    setup: Setup
    columns: tuple[str, ...]
    penalty: float
    mirrored: bool = False

    @property
    def settings(self) -> Settings:
        """Return the number of epochs, and how the encoder was trained; `cut` -1 is all of it."""
        cut = WHOLE if self.setup.cut is None else self.setup.cut
        own = {"size": self.setup.picture.size, "cut": cut, "views": self.setup.views, "penalty": self.penalty}
        return {**self.trained.settings, **own, "mirrored": self.mirrored}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss, and the validation error rate, per epoch."""
        loss = Curve("loss", self.trained.train_loss, self.trained.valid_loss)
        if self.trained.task.kind == "regress" or not self.trained.error:
            return (loss,)
        return loss, Curve("error rate", (), self.trained.error)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values of the trained network."""
        cells = cells_of(rows, self.columns)
        sides = (False, True) if self.mirrored else (False,)
        sources = [
            read(self._network, self.setup, cells, Clock(), views=1, exact=True, mirrored=side) for side in sides
        ]
        return answered(self.trained, sources)

    def graph(self) -> Graph:
        """Return the encoder, its head and softmax as ONNX, from uint8 pixels on."""
        network, constants = self._network, Constants()
        inputs = image_inputs(self.columns, self.setup.frame)
        onnx = translated(network.encoder, self.setup.picture.size, name=self.setup.base.name)
        width = network.head.in_features // len(self.columns)
        features = feature_nodes(
            onnx, inputs, constants, picture=self.setup.picture, width=width, mirrored=self.mirrored
        )
        named = nodes.answer(nodes.linear(features, network.head), self.trained)
        return Graph(constants.build(inputs, named), tuple(self.setup.frame.feed(column) for column in self.columns))

    @property
    def _network(self) -> Tuned:
        assert isinstance(self.trained.network, Tuned)
        return self.trained.network


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one `fit` by reading some images and taking a few steps on them.

    Raises `TrainingError` where the base could not be packed afterwards.
    """
    columns = train.columns("image")
    few = train.take(np.arange(0, len(train), max(1, len(train) // PROBED))[:PROBED])
    setup = set_up(few, columns, None)
    if setup.base.architecture not in OWN:  # what cannot be translated is found before it is trained
        open_backbone(setup.base, size=setup.picture.size, store=train.support.store)
    plan = planned(recipe, task, defaults(len(train)))
    network = setup.network(task, len(columns), plan.dropout)
    began = time.perf_counter()
    source = read(network, setup, cells_of(few.rows, columns), Clock())
    reading = (time.perf_counter() - began) * len(train) / len(few)
    build: Build = lambda: setup.network(task, len(columns), plan.dropout)  # noqa: E731 - the one open argument
    seconds, memory = training.estimated(build, Lesson(source, few.y), len(train), task, plan, seed=seed)
    views = min(setup.views * megabytes_a_view(setup, len(train) * len(columns)), VIEWS_MB)
    pixels = setup.picture.size**2 * 3 * len(train) * len(columns) / 1e6
    return Estimate(seconds + reading, memory + (pixels if setup.cut is None else views))


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> FittedEncoder:
    """Solve the head on the encoder as it came, then train both within the clock; see `Family.fit`.

    A fit that was killed reads the images again and goes on from its last checkpoint. Whether mirror images are read
    too is decided on `valid`.
    """
    columns = train.columns("image")
    plan = planned(recipe, task, defaults(len(train)))
    setup = set_up(train, columns, settings)
    network = setup.network(task, len(columns), plan.dropout)
    cells = cells_of(train.rows, columns)
    examined = None if valid is None else cells_of(valid.rows, columns)
    told = sorted((settings or {}).items())
    facts = {"setup": setup, "plan": plan, "task": task, "settings": told, "seed": seed}
    with scratch_of(train.support) as scratch:
        place = scratch / name_of(facts, train, cells, examined=examined)
        if settings is None:
            affordable = partial(affordable_views, network, setup, cells, clock, augment=plan.augment)
            setup = replace(setup, views=remembered(place / "views.json", Views, lambda: Views(affordable())).count)
        source = read(network, setup, cells, clock, seed=seed)
        began = time.perf_counter()
        exam = None if examined is None else read(network, setup, examined, clock, views=1)
        spent = time.perf_counter() - began
        seen = None if exam is None or valid is None else Exam(features_of(network, exam), valid)
        features = features_of(network, source)
        head = initial_head(features, train, seen, task, recipe, settings=settings, seed=seed, clock=clock)
        trained = training.train(
            lambda: setup.network(task, len(columns), plan.dropout, head),
            Lesson(source, train.y, train.weight),
            None if exam is None or valid is None else Lesson(exam, valid.y, valid.weight),
            task,
            plan,
            seed=seed,
            clock=clock,
            settings=settings,
            checkpoints=Checkpoints(place / "checkpoint.pt"),
        )
    fitted = FittedEncoder(trained, setup, columns, head.penalty, bool((settings or {}).get("mirrored", False)))
    if settings is not None or exam is None or valid is None:
        return fitted
    return replace(fitted, mirrored=mirrors(fitted, exam, valid, recipe, clock=clock, spent=spent))


def mirrors(
    fitted: FittedEncoder, exam: Source, valid: Examples, recipe: Recipe, *, clock: Clock, spent: float
) -> bool:
    """Tell whether mirror images fit the time and the latency, and help on `valid`; reading it took `spent` seconds."""
    trained, setup, columns = fitted.trained, fitted.setup, fitted.columns
    assert isinstance(trained.network, Tuned)
    network = trained.network
    row_seconds = partial(seconds_a_row, network, setup.picture.size, 2 * len(columns))
    if not may_mirror(clock, spent, valid.support.latency_ms, row_seconds):
        return False
    read_mirrored = partial(read, network, setup, cells_of(valid.rows, columns), clock, views=1, mirrored=True)
    return gains_by_mirroring(trained, exam, read_mirrored, valid, recipe)


def defaults(rows: int) -> Plan:
    """Return the plan for so many images: small steps, since the encoder knows much already."""
    return Plan(
        learning_rate=3e-4,
        weight_decay=0.02,
        label_smoothing=0.05,
        dropout=0.1,
        batch_size=32,
        epochs=int(np.clip(round(20_000 / max(1, rows)), 4, 20)),
        warmup=0.1,
        early_stopping=4,
        clip=1.0,
        augment=True,
    )


def set_up(train: Examples, columns: tuple[str, ...], settings: Settings | None) -> Setup:
    """Return how the encoder is trained: its last blocks where it can be cut, else all of it."""
    base, given = train.support.base, settings or {}
    picture = picture_of(base)
    assert base is not None
    looked_at = frame_for([cell for cells in cells_of(train.rows, columns) for cell in cells], longest=1 << 16)
    size = int(given["size"]) if "size" in given else size_for(base, looked_at)
    cut = int(given["cut"]) if "cut" in given else FIRST_TUNED if base.architecture in OWN else WHOLE
    views = int(given["views"]) if "views" in given else VIEWS
    strength = strength_for(looked_at.width, looked_at.height)
    return Setup(base, replace(picture, size=size), None if cut == WHOLE else cut, views, strength)


def affordable_views(network: Tuned, setup: Setup, cells: Columns, clock: Clock, *, augment: bool) -> int:
    """Return how many views of each image fit the memory and the time."""
    if setup.cut is None or not augment:
        return 1
    images = sum(map(len, cells))
    most = min(VIEWS, int(VIEWS_MB / megabytes_a_view(setup, images)))
    if clock.left() < float("inf"):
        began = time.perf_counter()
        few = [column[:8] for column in cells]
        read(network, setup, few, Clock(), views=1)
        seconds = (time.perf_counter() - began) * images / sum(map(len, few))
        most = min(most, int(READING_SHARE * clock.left() / max(seconds, 1e-9)))
    return max(1, most)


def megabytes_a_view(setup: Setup, images: int) -> float:
    """Return what one view of all images takes, in half precision: a sixteenth of the size, 112 channels."""
    return max(2 * 112 * (setup.picture.size / 16) ** 2 * images / 1e6, 1e-6)


def read(
    network: Tuned,
    setup: Setup,
    cells: Columns,
    clock: Clock,
    *,
    views: int | None = None,
    exact: bool = False,
    mirrored: bool = False,
    seed: int = 0,
) -> Source:
    """Return images as the network begins with them, in `views` (the setup's if None); `exact`: in single precision."""
    return read_source(
        network,
        cells,
        setup.frame,
        setup.strength,
        views=setup.views if views is None else views,
        exact=exact,
        mirrored=mirrored,
        seed=seed,
        clock=clock,
    )


def cells_of(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[list[object]]:
    """Return the cells of each image column."""
    return [rows[column].to_list() for column in columns]


def initial_head(
    features: np.ndarray,
    train: Examples,
    exam: Exam | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Head:
    """Return the head that fits the encoder as it came; the recipe's weight decay is the network's, not its own.

    Raises `TrainingError` where no time is left to train both.
    """
    plain = Recipe(class_weights=recipe.class_weights)
    penalty = float((settings or {}).get("penalty", DEFAULT_PENALTY)) if settings or exam is None else None
    head = fit_head(features, train, exam, task, plain, penalty=penalty, seed=seed, clock=clock)
    if clock.expired:
        raise TrainingError("the time ended while the images were read", fix="raise budget.time")
    return head


@torch.inference_mode()
def features_of(network: Tuned, source: Source) -> np.ndarray:
    """Return float32 `[n, columns * width]` features of unchanged images."""
    network.eval()
    parts = [network.features(*source.batch(rows, None)).numpy() for rows in sequential(source, _EVALUATED)]
    return np.concatenate(parts)


def fill(linear: nn.Linear, head: Head) -> None:
    """Give a layer the weights of a head; log odds of two classes become a logit for each."""
    weights, bias = head.line.weights, head.line.bias
    if weights.shape[1] < linear.out_features:
        weights, bias = np.hstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(weights.T)))
        linear.bias.copy_(torch.from_numpy(bias))
