"""Fit generator and critic: read the pictures once, plan for the time there is, train, export."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import torch

from headway.compute.clock import Clock
from headway.compute.vectors import digest_of
from headway.errors import TrainingError
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame, frame_for, frame_from
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.gan.export import exported
from headway.models.gan.network import Critic, Generator
from headway.models.gan.plan import Plan, augmented_for, plan_for, replayed
from headway.models.gan.training import Album, Look, Training, Watch, draw, fixed_noise, timed
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import has_bfloat16, limited, seeded
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Pictures with a longer side are brought to this many pixels.
LONGEST = 64
# So many times slower than one thread are all of them where the machine has other work.
CROWDED = 1.25
# Fewer pictures than these teach nothing but themselves.
LEAST = 16
# An estimate is about so many looks at a picture, and what torch takes beside.
ESTIMATED_VIEWS, WORKSPACE_MB = 100_000, 400.0


@dataclass(frozen=True)
class Drawn:
    """A trained generator, its critic, and how it got there."""

    generator: Generator
    critic: Critic
    frame: Frame
    columns: tuple[str, ...]
    album: Album
    plan: Plan
    looks: tuple[Look, ...]
    best: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return what another fit needs to do the same."""
        return {**self.plan.settings, **self.frame.settings}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the losses, at even steps through the training."""
        critic = Curve("critic loss", tuple(look.critic_loss for look in self.looks))
        return critic, Curve("generator loss", tuple(look.generator_loss for look in self.looks))

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n]`: how real the critic finds each picture, above 0 where it seems so."""
        pixels = decoded.read(self.frame.feed(self.columns[0]), rows[self.columns[0]].to_list())
        pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        with torch.inference_mode(), limited(self.plan.threads):
            labels = torch.zeros(len(pixels), dtype=torch.int64)
            return np.asarray(self.critic(pictures, labels).numpy(), np.float32)

    def draw(self, labels: np.ndarray, *, seed: int) -> np.ndarray:
        """Return uint8 `[n, height, width, colours]` pictures of int64 labels `[n]`."""
        with limited(self.plan.threads):
            return draw(self.generator, fixed_noise(len(labels), self.plan.noise, seed), labels)

    def graph(self) -> Graph:
        """Return the generator as a graph without feeds: noise and labels in, pixels out."""
        return Graph(exported(self.generator), ())


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate what a first good look takes, by the speed of a few steps; `fit` goes on as long as there is time."""
    del task
    few = train.take(np.arange(min(len(train), 128)))
    album, frame, _ = read_album(few, None)
    plan = plan_for(recipe, width=frame.width, height=frame.height, rows=len(train))
    with seeded(seed):
        seconds = timed(make_training(album, frame, plan, Clock(), seed))
    views = ESTIMATED_VIEWS if recipe.epochs is None else recipe.epochs * len(train)
    activations = plan.batch_size * sum(plan.channels) * frame.width * frame.height * 12 / 1e6
    return Estimate(seconds * views / plan.batch_size, album.pixels.nbytes * len(train) / len(few) / 1e6 + activations
                    + WORKSPACE_MB)  # fmt: skip


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
    watch: Watch | None = None,
) -> Drawn:
    """Train within the clock; see `Family.fit`.

    `watch` looks at drawn pictures now and then; the generator of the best look is kept, and a collapse ends the
    training. Without, the last one is. Classes are those of `train.y`, int64 from 0. Raises `TrainingError` for fewer
    than 16 pictures, for no time, and for a loss that is no number before the first look.
    """
    del valid, task
    check_enough(len(train))
    album, frame, column = read_album(train, settings)
    checkpoints = checkpoints_of(train, album, recipe, seed)
    kept = None if checkpoints is None else checkpoints.load()
    known = plan_of(kept, settings)
    plan = known or plan_for(recipe, width=frame.width, height=frame.height, rows=len(train))
    began = time.monotonic()
    with seeded(seed):
        training = make_training(album, frame, plan, clock, seed, watch=watch, checkpoints=checkpoints)
        # What a killed training had chosen stays: another number of threads would round otherwise, and part the curves.
        if kept is None and not math.isinf(clock.deadline):
            plan, seconds = fastest(training, plan)
            if recipe.augment is None and known is None:
                plan = augmented_for(plan, len(train), min(plan.steps, clock.left() / seconds))
            training = replace_plan(training, plan, seconds)
        with limited(plan.threads):
            training.fit_loop()
    trouble = () if checkpoints is None or not checkpoints.trouble else (checkpoints.trouble,)
    best = len(training.looks) - 1 if training.best is None else training.best[1]
    return Drawn(
        training.average,
        training.critic.eval(),
        frame,
        (column,),
        album,
        replace(plan, steps=training.steps),
        tuple(training.looks),
        best,
        time.monotonic() - began,
        (*((training.trouble,) if training.trouble else ()), *trouble),
    )


def plan_of(kept: Mapping[str, Any] | None, settings: Settings | None) -> Plan | None:
    """Return the plan of a checkpoint, else the one of an earlier fit's settings; None where there is neither."""
    if kept is not None:
        return replace(replayed(kept["plan"]), threads=kept["threads"])
    return replayed(settings) if settings is not None and "steps" in settings else None


def check_enough(rows: int) -> None:
    """Raise `TrainingError` for too few pictures to learn to draw from."""
    if rows < LEAST:
        raise TrainingError(
            "there are too few pictures to learn to draw from",
            expected=f"at least {LEAST} to train on",
            got=str(rows),
            fix="add pictures",
        )


def read_album(train: Examples, settings: Settings | None) -> tuple[Album, Frame, str]:
    """Return the pictures, their frame and the name of their column."""
    column = train.columns("image")[0]
    cells = train.rows[column].to_list()
    frame = frame_from(settings) or frame_for(cells, longest=LONGEST)
    labels = train.y.astype(np.int64)
    return Album(decoded.read(frame.feed(column), cells), labels, int(labels.max()) + 1), frame, column


def make_training(
    album: Album,
    frame: Frame,
    plan: Plan,
    clock: Clock,
    seed: int,
    *,
    watch: Watch | None = None,
    checkpoints: Checkpoints | None = None,
) -> Training:
    """Return a training that has not begun; torch's seed is the caller's."""
    colours = album.pixels.shape[3]
    size = {"labels": album.classes, "width": frame.width, "height": frame.height, "colours": colours}
    generator, critic = Generator(plan.channels, noise=plan.noise, **size), Critic(plan.critic_channels, **size)
    return Training(generator, critic, album, plan, clock, seed, watch=watch, checkpoints=checkpoints)


def fastest(training: Training, plan: Plan) -> tuple[Plan, float]:
    """Return the plan with the number of threads and the precision that are fastest here and now, and their seconds."""
    ways: list[dict[str, object]] = [{"precision": "float32"}]
    if has_bfloat16(torch.device("cpu")) and plan.precision == "auto":
        ways.append({"precision": "auto"})
    if torch.get_num_threads() > 1:
        ways += [{**way, "threads": 1} for way in ways]
    found = []
    for way in ways:
        tried: Plan = replace(plan, **way)  # type: ignore[arg-type]  # the names are fields
        with limited(tried.threads):
            found.append((timed(replace_plan(training, tried, 0.0)), tried))
    together = [each for each in found if each[1].threads is None]
    alone = [each for each in found if each[1].threads == 1]
    seconds, best = min(together, key=lambda each: each[0])
    if alone and (single := min(alone, key=lambda each: each[0]))[0] * CROWDED < seconds:
        seconds, best = single
    return best, seconds


def replace_plan(training: Training, plan: Plan, seconds: float) -> Training:
    """Return the same training, not begun, with another plan and its seconds a step."""
    return replace(training, plan=plan, seconds_a_step=seconds)


def checkpoints_of(train: Examples, album: Album, recipe: Recipe, seed: int) -> Checkpoints | None:
    """Return where training keeps its state, named by all that it depends on but the time; None without a place."""
    scratch = train.support.scratch
    if scratch is None:
        return None
    content = album.pixels.tobytes() + album.labels.tobytes() + repr((recipe, seed)).encode()
    return Checkpoints(scratch / f"gan-{digest_of(content).hex()}.pt")
