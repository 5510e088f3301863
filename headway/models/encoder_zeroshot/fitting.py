"""Read texts and labels' words, teach without labels, and ship encoder and head as one graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.exporting import Precision
from headway.encoders.features import pace_of, unknown
from headway.encoders.precision import choose_precision
from headway.encoders.reading import token_feed
from headway.errors import TrainingError
from headway.models.answers import answer
from headway.models.encoder_frozen.frozen import FrozenEncoder
from headway.models.encoder_frozen.heads import Head
from headway.models.encoder_frozen.reading import Eyes
from headway.models.encoder_zeroshot.heading import centre_head, distilled_head
from headway.models.encoder_zeroshot.teaching import teach
from headway.models.family import Estimate, Examples, Settings
from headway.models.targets import mean_loss
from headway.models.weighting import row_weights
from headway.models.words import label_words, wordless
from headway.tasks import Classify, Task
from headway.tasks.recipe import Recipe

# Texts that are looked at, at most: neighbours cost their square.
MOST_TEXTS = 8000
DEFAULT: Settings = {"head": "distilled", "balance": 0.5, "penalty": 5e-5, "scale": 1.0}
BALANCES = (0.5, 0.2, 0.8)
PENALTIES = (1e-4, 2e-5)
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)
_SHARE_TO_TEACH = 0.4


@dataclass(frozen=True)
class Material:
    """Vectors of unit length: `[n, width]` texts whose labels nobody looks at, `[labels, width]` of the words."""

    texts: np.ndarray
    words: np.ndarray


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:  # noqa: ARG001
    """Time the encoder on a few texts; the rest is known arithmetic."""
    base, columns = base_of(train), train.columns("text")
    texts = [text for column in columns for text in _texts(train, seed)[column].fill_null("").to_list()]
    width, count = 384 * len(columns), min(len(texts), MOST_TEXTS)
    memory = 3 * base.size_mb + 100 + 16 * count * (width + task.width) / 1e6
    if isinstance(task, Classify) and wordless(task.labels, task.descriptions):
        return Estimate(0.01, memory)
    precision = choose_precision(base, texts, store=train.support.store)
    operations = count * width * (2.0 * count + 300 * task.width)
    new = unknown(base, texts, precision, store=train.support.store)
    pace = pace_of(base, new or texts, precision)
    seconds = pace.text_seconds * len(new) + operations / 5e9 + 0.5
    return Estimate(seconds, memory, tokens_per_second=pace.tokens_per_second)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> FrozenEncoder:
    """Teach a head from texts and words; `valid` only chooses between settings. See `Family.fit`."""
    base, columns = base_of(train), train.columns("text")
    words = label_words(cast("Classify", task))
    if clock.expired:
        raise TrainingError("the time ended before the texts were encoded", fix="raise budget.time")
    rows = _texts(train, seed)
    chosen: Settings = {**DEFAULT, **(settings or {})}
    sample = [text for column in columns for text in rows[column].fill_null("").to_list()]
    precision = chosen.get("precision") or choose_precision(base, sample, store=train.support.store)
    feeds = tuple(token_feed(base, column) for column in columns)
    eyes = Eyes(base, cast("Precision", precision), feeds, train.support.store)
    encoding = clock if clock.left() == float("inf") else Clock.after(clock.left() * (1 - _SHARE_TO_TEACH))
    material = Material(eyes.read(rows, encoding), eyes.say(words))
    if valid is not None and settings is None:
        head, chosen = _choose(material, Exam(eyes.read(valid.rows, encoding), valid), task, recipe, clock)
    else:
        head = _head(material, task, chosen, clock).scaled(float(chosen["scale"]))
    return FrozenEncoder(eyes, head, None, {**chosen, "precision": precision})


@dataclass(frozen=True)
class Exam:
    """Vectors of the validation rows, and the rows."""

    x: np.ndarray
    rows: Examples

    def loss(self, head: Head, task: Task, recipe: Recipe) -> float:
        """Return the mean loss of a head."""
        weight = row_weights(self.rows, task, recipe)
        return mean_loss(answer(head.outputs(self.x), None), self.rows.y, weight, task, recipe)


def base_of(train: Examples) -> Base:
    """Return the base of the run; raises `TrainingError` without one."""
    if train.support.base is None:
        raise TrainingError("zero-shot needs a base model", fix="name one: `base: auto`, or a folder")
    return train.support.base


def _choose(material: Material, exam: Exam, task: Task, recipe: Recipe, clock: Clock) -> tuple[Head, Settings]:
    """Return the head of the least validation loss: the better balance first, then how it is learnt."""

    def weigh(settings: Settings) -> tuple[float, Head, Settings]:
        head = _head(material, task, settings, clock)
        loss, scale = min((exam.loss(head.scaled(scale), task, recipe), scale) for scale in SCALES)
        return loss, head.scaled(scale), {**settings, "scale": scale}

    centres: Settings = {**DEFAULT, "head": "centres"}
    tried = [weigh({**centres, "balance": BALANCES[0]})]
    tried.extend(weigh({**centres, "balance": balance}) for balance in BALANCES[1:] if not clock.expired)
    better = min(tried, key=lambda each: each[0])[2]["balance"]
    learnt: Settings = {**DEFAULT, "balance": better}
    tried.extend(weigh({**learnt, "penalty": penalty}) for penalty in PENALTIES if not clock.expired)
    return min(tried, key=lambda each: each[0])[1:]


def _head(material: Material, task: Task, settings: Settings, clock: Clock) -> Head:
    lesson = teach(material.texts, material.words, balance=float(settings["balance"]))
    if settings["head"] == "centres":
        return centre_head(lesson)
    penalty = float(settings["penalty"])
    return distilled_head(material.texts, material.words, lesson, task, penalty=penalty, clock=clock)


def _texts(train: Examples, seed: int) -> pl.DataFrame:
    """Return the text columns of the training and unlabelled rows, or a sample of them where they are many."""
    columns = list(train.columns("text"))
    rows = train.rows.select(columns)
    if train.support.unlabelled is not None:
        rows = pl.concat([rows, train.support.unlabelled.select(columns)])
    if rows.height <= MOST_TEXTS:
        return rows
    places = np.random.default_rng(seed).permutation(rows.height)[:MOST_TEXTS]
    return rows[np.sort(places)]
