"""Encode all texts, and choose a head on their vectors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from headway.compute.clock import Clock
from headway.encoders.exporting import Precision
from headway.encoders.features import seconds_for
from headway.encoders.precision import choose_precision
from headway.errors import TrainingError
from headway.models.encoder_frozen.choosing import Choice, Exam, Setting, choose, cross_validated
from headway.models.encoder_frozen.frozen import FrozenEncoder
from headway.models.encoder_frozen.heads import DEFAULT, SOLVE, Head, Vectors, with_words
from headway.models.encoder_frozen.lens import Lens, is_few
from headway.models.encoder_frozen.reading import Eyes, base_of
from headway.models.family import Estimate, Examples, Settings
from headway.models.targets import TargetScale, fit_target_scale
from headway.models.weighting import row_weights
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Share of the time that is kept for the head after the texts were encoded.
_HEAD_SHARE = 0.2
_PROBED_ROWS = 400
# Heads that are solved, as large as that of all rows together.
_SOLVED, _SOLVED_FEW = 8, 45


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time the encoder on a few texts and the head on a few rows; texts that are kept already cost nothing."""
    base = base_of(train)
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
    heads = (time.perf_counter() - began) * (_SOLVED_FEW if is_few(train.y, task) else _SOLVED) * len(train) / few
    del recipe
    memory = 3 * base.size_mb + 200 + 12 * width * len(train) / 1e6
    return Estimate(encoding + heads + 0.5, memory)


@dataclass(frozen=True)
class Material:
    """Vectors of the rows, and of the labels' words where they may be learnt from; both through the lens."""

    rows: Vectors
    words: np.ndarray | None
    lens: Lens | None


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
    """Encode all texts, then choose the head on `valid`; or by cross-validation without it; see `Family.fit`."""
    base, columns = base_of(train), train.columns("text")
    if clock.expired:
        raise TrainingError("the time ended before the texts were encoded", fix="raise budget.time")
    given = dict(settings or {})
    texts = [text for column in columns for text in train.rows[column].fill_null("").to_list()]
    precision = given.get("precision") or choose_precision(base, texts, store=train.support.store)
    eyes = Eyes(base, cast("Precision", precision), columns, train.support.store)
    encoding = clock if clock.left() == float("inf") else Clock.after(clock.left() * (1 - _HEAD_SHARE))
    target = fit_target_scale(train.y) if task.kind == "regress" else None
    material = _material(eyes, train, task, recipe, target, encoding)
    exams: tuple[Exam, ...] = ()
    if settings is None and valid is not None:
        seen = _vectors(eyes, valid, material.lens, task, recipe, target, encoding)
        exams = (Exam(material.rows, seen, valid.y),)
    elif settings is None:
        exams = cross_validated(material.rows, train.y, task, seed=seed)
    if exams:
        choice = choose(exams, material.words, task=task, recipe=recipe, target=target, clock=clock)
    else:
        choice = Choice(_replayed(given, task, recipe))
    head = choice.heads[0] if len(choice.heads) == 1 else _solved(material, choice.setting, task)
    return FrozenEncoder(eyes, head, target, {**choice.setting.told, "precision": eyes.precision}, lens=material.lens)


def _material(
    eyes: Eyes, train: Examples, task: Task, recipe: Recipe, target: TargetScale | None, clock: Clock
) -> Material:
    """Return what there is to learn from; where rows are few, through a lens and with the labels' words."""
    rows = _vectors(eyes, train, None, task, recipe, target, clock)
    if not is_few(train.y, task):
        return Material(rows, None, None)
    lens, words = Lens.of(rows.x), eyes.read_words(task)
    return Material(replace(rows, x=lens(rows.x)), None if words is None else lens.words(words), lens)


def _vectors(
    eyes: Eyes,
    examples: Examples,
    lens: Lens | None,
    task: Task,
    recipe: Recipe,
    target: TargetScale | None,
    clock: Clock,
) -> Vectors:
    y = examples.y if target is None else target.forward(examples.y)
    x = eyes.read(examples.rows, clock)
    return Vectors(x if lens is None else lens(x), y, row_weights(examples, task, recipe))


def _replayed(settings: Mapping[str, object], task: Task, recipe: Recipe) -> Setting:
    """Return what settings say, with the defaults for what they leave open."""
    told = {**Setting(*DEFAULT[task.kind]).told, **settings}
    penalty = told["penalty"] if recipe.weight_decay is None else recipe.weight_decay
    return Setting(str(told["head"]), float(cast("float", penalty)), float(cast("float", told["words"])))


def _solved(material: Material, setting: Setting, task: Task) -> Head:
    rows = with_words(material.rows, material.words, setting.words)
    return SOLVE[setting.head](rows, task, setting.penalty, None, Clock())
