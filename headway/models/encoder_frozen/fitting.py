"""Encode all texts, and choose a head on their vectors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from headway.compute.clock import Clock
from headway.encoders.exporting import Precision
from headway.encoders.features import open_reader, pace_of, seconds_for, unknown
from headway.encoders.precision import choose_precision
from headway.encoders.reading import text_feeds
from headway.errors import TrainingError
from headway.models.encoder_frozen.bending import TRIED, Bend, Bent, bend, fitted
from headway.models.encoder_frozen.choosing import Choice, Exam, choose, cross_validated
from headway.models.encoder_frozen.frozen import FrozenEncoder
from headway.models.encoder_frozen.heads import DEFAULT, SOLVE, Vectors
from headway.models.encoder_frozen.lens import Lens, is_few
from headway.models.encoder_frozen.material import Material, Setting, solved
from headway.models.encoder_frozen.reading import Eyes, base_of
from headway.models.encoder_frozen.voting import Vote, choose_vote, with_votes
from headway.models.family import Estimate, Examples, Settings
from headway.models.targets import TargetScale, fit_target_scale
from headway.models.weighting import row_weights
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Share of the time that is kept for the head after the texts were encoded.
_HEAD_SHARE = 0.2
_PROBED_ROWS = (200, 1_600)
# Heads that are solved, as large as that of all rows together.
_SOLVED, _SOLVED_FEW = 8, 60
# Heads that bend are tried for so many times what the straight ones took, and no more than this share of what is left.
_BENDING, _BENDING_SHARE = 2.0, 0.25
# Unlabelled rows that are read at most, and in this share of the time.
MOST_UNLABELLED, _UNLABELLED_SHARE = 4_000, 0.4


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time the encoder on a few texts and the head on a few rows; texts that are kept already cost nothing."""
    base, texts = base_of(train), _different_texts(train)
    precision = choose_precision(base, texts, store=train.support.store)
    pace = pace_of(base, texts, precision)
    encoding = pace.text_seconds * len(unknown(base, texts, precision, store=train.support.store))
    feeds = text_feeds(base, train.inputs)
    width = open_reader(base, precision).encode([""]).shape[1] * len(feeds)
    heads = _seconds_to_solve(train, task, width, seed) * (_SOLVED_FEW if is_few(train.y, task) else _SOLVED)
    del recipe
    memory = 3 * base.size_mb + 200 + 12 * width * len(train) / 1e6
    row_seconds = pace.text_seconds * len(feeds)
    return Estimate(encoding + heads + 0.5, memory, row_seconds, pace.tokens_per_second)


def _seconds_to_solve(train: Examples, task: Task, width: int, seed: int) -> float:
    """Return about what one head on all rows takes, along a line through two smaller ones; part of it is fixed."""
    generator = np.random.default_rng(seed)
    name, penalty = DEFAULT[task.kind]
    sizes = [max(1, min(len(train), size)) for size in _PROBED_ROWS]
    x = generator.normal(size=(sizes[-1], width)).astype(np.float32) / np.sqrt(width)
    y = train.y[generator.permutation(len(train))[: sizes[-1]]]
    seconds = []
    for size in sizes:
        began = time.perf_counter()
        SOLVE[name](Vectors(x[:size], y[:size], np.ones(size)), task, penalty, None, Clock())
        seconds.append(time.perf_counter() - began)
    if sizes[0] == sizes[-1]:
        return min(seconds)
    slope = max(0.0, seconds[1] - seconds[0]) / (sizes[1] - sizes[0])
    return seconds[1] + slope * (len(train) - sizes[1])


def shared_seconds(train: Examples) -> float:
    """Estimate the seconds that reading the texts takes: once, for however many targets."""
    base, texts = base_of(train), _different_texts(train)
    precision = choose_precision(base, texts, store=train.support.store)
    return seconds_for(base, unknown(base, texts, precision, store=train.support.store), precision)


def _different_texts(train: Examples) -> list[str]:
    """Return the texts that the base reads, each once, in the order of the rows."""
    base = base_of(train)
    read = Eyes(base, "float32", text_feeds(base, train.inputs), None).texts(train.rows)
    return list(dict.fromkeys(text for own in read for text in own))


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
    """Encode all texts, then choose the head on `valid`, or by cross-validation without it; see `Family.fit`."""
    if clock.expired:
        raise TrainingError("the time ended before the texts were encoded", fix="raise budget.time")
    began = time.perf_counter()
    given = dict(settings or {})
    desk = _Desk.of(train, task, recipe, given, clock)
    material, lens, read = desk.gather(train, settings, seed)
    exams = () if settings is not None else desk.exams(material, lens, train, valid, seed)
    read_all = time.perf_counter()
    if exams:
        choice = choose(exams, task=task, recipe=recipe, target=desk.target, clock=clock, few=lens is not None)
    else:
        choice = Choice(_replayed({} if given.get("head") in TRIED else given, task, recipe))
    whole = len(choice.heads) == 1
    line = choice.heads[0].scaled(choice.setting.scale) if whole else solved(material, choice.setting, task)
    head: Bent = line
    chosen: Settings = {**choice.setting.told, "precision": desk.eyes.precision, "unlabelled_rows": read}
    bent, vote = _replayed_bend(given), Vote.given(given)
    if exams:
        vote = choose_vote(exams, choice, task=task, recipe=recipe, few=lens is not None, clock=clock)
    if exams and lens is None:
        limit = min(_BENDING_SHARE * clock.left(), _BENDING * (time.perf_counter() - read_all))
        bent = bend(exams, choice, task=task, recipe=recipe, target=desk.target, seed=seed, clock=Clock.after(limit))
    if bent is not None and not (vote is not None and vote.loss < bent.loss):
        head = fitted(bent.name, bent.strength, material.rows, task, seed=seed, clock=Clock()).scaled(bent.scale)
        chosen = {**chosen, "head": bent.name, "strength": bent.strength, "scale": bent.scale}
    elif vote is not None:
        head, chosen = with_votes(line, material, vote, task), {**chosen, **vote.told}
    searching = 0.0
    if exams:  # a replay solves one head, on vectors that are kept where there is a store
        solving = time.perf_counter() - read_all
        searching = solving * (1 - 1 / (_SOLVED_FEW if lens is not None else _SOLVED))
        searching += 0.0 if train.support.store is None else read_all - began
    return FrozenEncoder(desk.eyes, head, desk.target, chosen, lens=lens, searching_seconds=searching)


@dataclass(frozen=True)
class _Desk:
    """How rows become what a head learns from; `clock` is that of encoding."""

    eyes: Eyes
    task: Task
    recipe: Recipe
    target: TargetScale | None
    clock: Clock

    @classmethod
    def of(cls, train: Examples, task: Task, recipe: Recipe, given: Settings, clock: Clock) -> _Desk:
        """Open the base in the precision that was given, or in the fastest that keeps the decisions."""
        base, store = base_of(train), train.support.store
        eyes = Eyes(base, "float32", text_feeds(base, train.inputs), store)
        texts = [text for own in eyes.texts(train.rows) for text in own]
        precision = given.get("precision") or choose_precision(base, texts, store=store)
        encoding = clock if clock.left() == float("inf") else Clock.after(clock.left() * (1 - _HEAD_SHARE))
        target = fit_target_scale(train.y) if task.kind == "regress" else None
        return cls(replace(eyes, precision=cast("Precision", precision)), task, recipe, target, encoding)

    def exams(
        self, material: Material, lens: Lens | None, train: Examples, valid: Examples | None, seed: int
    ) -> tuple[Exam, ...]:
        """Return what heads are judged on: the validation rows, or folds of the training rows."""
        if valid is not None:
            return (Exam(material, self.vectors(valid, lens), valid.y),)
        return cross_validated(material, train.y, self.task, seed=seed)

    def gather(self, train: Examples, settings: Settings | None, seed: int) -> tuple[Material, Lens | None, int]:
        """Return what there is to learn from, the lens before it, and how many unlabelled rows were read.

        Where rows are few, they are seen through a lens, and the labels' words and unlabelled rows stand beside them.
        """
        rows = self.vectors(train, None)
        if not is_few(train.y, self.task):
            return Material(rows), None, 0
        lens, words = Lens.of(rows.x), self.eyes.read_words(self.task)
        seen = Material(replace(rows, x=lens(rows.x)), None if words is None else lens.words(words))
        more = self._unlabelled(train, settings, seed)
        if more is None or not len(more):
            return seen, lens, 0
        return replace(seen, unlabelled=lens(more)), lens, len(more)

    def vectors(self, examples: Examples, lens: Lens | None) -> Vectors:
        """Return rows as vectors, with their scaled targets and their weights."""
        y = examples.y if self.target is None else self.target.forward(examples.y)
        x = self.eyes.read(examples.rows, self.clock)
        return Vectors(x if lens is None else lens(x), y, row_weights(examples, self.task, self.recipe))

    def _unlabelled(self, train: Examples, settings: Settings | None, seed: int) -> np.ndarray | None:
        """Return vectors of as many unlabelled rows as settings say, or as the time allows."""
        rows = train.support.unlabelled
        if rows is None or rows.height == 0:
            return None
        count = min(rows.height, MOST_UNLABELLED)
        if settings is not None:
            count = min(count, int(settings.get("unlabelled_rows", 0)))
        elif self.clock.left() < float("inf"):
            texts = [text for own in self.eyes.texts(rows.head(64)) for text in own]
            each = seconds_for(self.eyes.base, texts, self.eyes.precision) / max(1, min(64, rows.height))
            count = min(count, int(self.clock.left() * _UNLABELLED_SHARE / max(each, 1e-6)))
        chosen = np.random.default_rng(seed).permutation(rows.height)[:count]
        return self.eyes.read(rows[np.sort(chosen)], self.clock) if count else None


def _replayed(settings: Mapping[str, object], task: Task, recipe: Recipe) -> Setting:
    """Return what settings say, with the defaults for what they leave open."""
    told = {**Setting(*DEFAULT[task.kind]).told, **settings}
    if recipe.weight_decay is not None:
        told["penalty"] = recipe.weight_decay
    numbers = {name: float(cast("float", told[name])) for name in ("penalty", "words", "unlabelled", "scale")}
    return Setting(str(told["head"]), **numbers)


def _replayed_bend(told: Mapping[str, object]) -> Bend | None:
    """Return the head that bends which settings name, None where they name a straight one."""
    name = str(told.get("head", ""))
    if name not in TRIED:
        return None
    strength, scale = (
        float(cast("float", told.get(key, usual))) for key, usual in (("strength", TRIED[name][0]), ("scale", 1))
    )
    return Bend(name, strength, scale, float("nan"))
