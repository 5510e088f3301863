"""Train the small convolutional network: choose its size, read the images once, train, export."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame, frame_for, frame_from
from headway.modalities.image.pixels import Standard, standard_of
from headway.models.cnn.export import exported
from headway.models.cnn.network import ConvNet, layout_for
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.networks import training
from headway.networks.augmentation import strength_for
from headway.networks.batches import Lesson
from headway.networks.images import Images
from headway.networks.plan import Plan, planned
from headway.networks.training import Build, Trained, estimated, predict
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Longer sides of the images, largest first; a smaller one is taken where the time is short.
SIZES = (96, 64)
# So many epochs must fit the clock at a size, or the next smaller one is tried.
ENOUGH_EPOCHS = 12
# Images to look at in all epochs together; few images are seen more often.
VIEWS = 120_000
# Images of so few pixels are trained on by one thread.
TINY = 400
PROBED = 128


@dataclass(frozen=True)
class FittedCnn:
    """A trained network with the frame of its images, one per column."""

    trained: Trained
    columns: tuple[str, ...]
    frame: Frame

    @property
    def settings(self) -> Settings:
        """Return the frame and the number of epochs."""
        return {**self.trained.settings, **self.frame.settings}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss, and the validation error rate, per epoch."""
        loss = Curve("loss", self.trained.train_loss, self.trained.valid_loss)
        if self.trained.task.kind == "regress" or not self.trained.error:
            return (loss,)
        return loss, Curve("error rate", (), self.trained.error)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values of the trained network."""
        return predict(self.trained, Images(read(rows, self.columns, self.frame)))

    def graph(self) -> Graph:
        """Return the network with standardisation and softmax as ONNX; batch norms are folded away."""
        return exported(self.trained, self.columns, self.frame)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one `fit` by decoding some images and taking a few steps on them."""
    began = time.perf_counter()
    columns = train.columns("image")
    few = train.take(np.arange(0, len(train), max(1, len(train) // PROBED)))
    frame = frame_of(few, columns, SIZES[0])
    pixels = read(few.rows, columns, frame)
    reading = (time.perf_counter() - began) * len(train) / len(few)
    plan = planned(recipe, task, defaults(len(train), frame))
    build = builder(pixels, standard_of(pixels), frame, task, plan)
    seconds, memory = estimated(build, Lesson(Images(pixels), few.y), len(train), task, plan, seed=seed)
    return Estimate(seconds + reading, memory + sum(part.nbytes for part in pixels) / 1e6 * 2 * len(train) / len(few))


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> FittedCnn:
    """Train within the clock; see `Family.fit`."""
    columns = train.columns("image")
    plan = planned(recipe, task, defaults(len(train)))
    frame = frame_from(settings) or fitting_frame(train, columns, task, plan, clock=clock, seed=seed)
    plan = planned(recipe, task, defaults(len(train), frame))
    pixels = read(train.rows, columns, frame)
    build = builder(pixels, standard_of(pixels), frame, task, plan)
    exam = None if valid is None else Lesson(Images(read(valid.rows, columns, frame)), valid.y, valid.weight)
    if clock.expired:
        raise TrainingError("the time ended while the images were read", fix="raise budget.time")
    images = Images(pixels, strength_for(frame.width, frame.height))
    lesson = Lesson(images, train.y, train.weight)
    trained = training.train(build, lesson, exam, task, plan, seed=seed, clock=clock, settings=settings)
    return FittedCnn(trained, columns, frame)


def defaults(rows: int, frame: Frame | None = None) -> Plan:
    """Return the plan for so many images; a step on tiny ones is too little work to share."""
    epochs = int(np.clip(round(VIEWS / max(1, rows)), 8, 60))
    return Plan(
        learning_rate=3e-3,
        weight_decay=0.02,
        label_smoothing=0.05,
        dropout=0.1,
        batch_size=64 if rows >= 4000 else 32,
        epochs=epochs,
        warmup=0.15,
        early_stopping=max(5, epochs // 2),
        augment=True,
        threads=1 if frame is not None and frame.width * frame.height <= TINY else None,
    )


def fitting_frame(
    examples: Examples, columns: tuple[str, ...], task: Task, plan: Plan, *, clock: Clock, seed: int
) -> Frame:
    """Return the largest frame at which enough epochs fit the clock (the smallest size otherwise)."""
    frame = frame_of(examples, columns, SIZES[0])
    for longest in SIZES[1:]:
        if clock.left() == float("inf") or max(frame.width, frame.height) <= longest:
            break
        few = examples.take(np.arange(0, len(examples), max(1, len(examples) // PROBED)))
        pixels = read(few.rows, columns, frame)
        short = replace(plan, epochs=min(plan.epochs, ENOUGH_EPOCHS))
        build = builder(pixels, standard_of(pixels), frame, task, short)
        seconds, _ = estimated(build, Lesson(Images(pixels), few.y), len(examples), task, short, seed=seed)
        if seconds < clock.left():
            break
        frame = frame_of(examples, columns, longest)
    return frame


def frame_of(examples: Examples, columns: tuple[str, ...], longest: int) -> Frame:
    """Return one frame for all image columns."""
    return frame_for([cell for column in columns for cell in examples.rows[column].to_list()], longest=longest)


def read(rows: pl.DataFrame, columns: tuple[str, ...], frame: Frame) -> tuple[np.ndarray, ...]:
    """Return the pixels of each column, uint8 `[n, height, width, channels]`."""
    return tuple(decoded.read(frame.feed(column), rows[column].to_list()) for column in columns)


def builder(pixels: tuple[np.ndarray, ...], standard: Standard, frame: Frame, task: Task, plan: Plan) -> Build:
    """Return what makes an untrained network for these images."""
    return lambda: ConvNet(
        layout_for(frame.width, frame.height),
        standard.mean,
        standard.deviation,
        images=len(pixels),
        width=task.width,
        dropout=plan.dropout,
    )
