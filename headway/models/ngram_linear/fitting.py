"""Fit n-gram linear models: learn the n-grams once, then choose the word weight and the strength on validation."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy.sparse as sp
import spox.opset.ai.onnx.v21 as op
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from spox import Tensor, argument, build

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.modalities.text.characters import character_feed, read_texts
from headway.modalities.text.vocabulary import Unit, learn, open_hashes
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.ngram_linear.features import Block, presence_of, worth_of
from headway.models.ngram_linear.smooth import Linear
from headway.models.ngram_linear.solving import is_margin, solve
from headway.models.weighting import row_weights
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

LONGEST: dict[Unit, int] = {"characters": 4, "words": 2}
# Tables of weights stay under this many numbers (float32), which bounds package and memory for many labels.
MOST_WEIGHTS = 24_000_000
MOST_NGRAMS = 400_000
# What is tried on the validation part, in this order. The first does well nearly always, so another must beat it.
WORD_WEIGHTS = (1.0, 0.5, 0.0)
# The strength is halved while that does better; where the first half does not, it is doubled.
STRENGTH, HALVED, DOUBLED = 0.5, (0.25, 0.125, 0.0625), (1.0, 2.0, 4.0)
_TEMPERATURE = 2.5
# A probe fits as many rows as are read in so many seconds, from a few up to some hundred; all of it takes about five
# times as long as its reading.
_FEWEST, _PROBE_ROWS, _READING_SECONDS = 50, 400, 0.25
# Share of the time left that the search for settings may take, and seconds that it need not exceed.
_SEARCH_SHARE, _SEARCH_SECONDS = 0.5, 15.0


@dataclass(frozen=True)
class Choice:
    """What can be chosen: how much words count beside characters, the strength C, and margins to logits."""

    words: float = WORD_WEIGHTS[0]
    strength: float = STRENGTH
    temperature: float = _TEMPERATURE


@dataclass(frozen=True)
class NgramLinear:
    """A fitted model: blocks of features and the weights over all of them, in that order."""

    blocks: tuple[Block, ...]
    linear: Linear
    task: Task
    recipe: Recipe
    choice: Choice
    curves: tuple[Curve, ...] = ()
    searching_seconds: float = 0.0

    @property
    def settings(self) -> Settings:
        """Return what was chosen."""
        return {"words": self.choice.words, "strength": self.choice.strength, "temperature": self.choice.temperature}

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 probabilities `[n, labels]` or values `[n]`."""
        X = _joined(self.blocks, _presences(self.blocks, rows), self.choice)
        return _answers(self.linear.scores(X), self.task, self._scale)

    def graph(self) -> Graph:
        """Return the model from code points to answers as an ONNX graph."""
        columns = list(dict.fromkeys(block.vocabulary.column for block in self.blocks))
        codes = {name: argument(Tensor(np.int32, ("rows", f"length_{i}"))) for i, name in enumerate(columns)}
        total, start = op.const(self.linear.bias), 0
        for block in self.blocks:
            size = len(block.vocabulary)
            weights = self.linear.weights[start : start + size] * _share(block, self.choice)
            total = op.add(total, block.scores(codes[block.vocabulary.column], weights))
            start += size
        if self.task.kind == "classify":
            outputs = {"probabilities": op.softmax(op.mul(total, op.const(np.float32(self._scale))), axis=1)}
        else:
            outputs = {"values": total}
        feeds = [character_feed(name) for name in columns]
        model = build({feed.name: codes[feed.columns[0]] for feed in feeds}, outputs)
        return Graph(model.SerializeToString(), tuple(feeds))

    @property
    def _scale(self) -> float:
        return self.choice.temperature if is_margin(self.recipe, self.task) else 1.0


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate a fit from one on a few rows: n-grams and solving are linear in the text, and in the labels."""
    _warm_up(task, recipe)
    order = np.random.default_rng(seed).permutation(len(train))
    part = train.take(order[: _rows_to_probe(train.take(order[:_FEWEST]))])
    factor = len(train) / max(1, len(part))
    began = time.perf_counter()
    lesson = _Lesson.of(part, task, recipe, seed=seed, clock=Clock())
    counted = time.perf_counter() - began
    fitted = lesson.fitted(Choice())
    solved = (time.perf_counter() - began - counted) * factor
    solves = len(WORD_WEIGHTS) + 2
    seconds = counted * (0.5 + factor / 8) + solved + min(_SEARCH_SECONDS, solves * solved)
    entries = sum(presence.nnz for presence in lesson.presences) * factor
    weights = min(MOST_WEIGHTS, fitted.linear.weights.size * factor)
    return Estimate(seconds=seconds, memory_mb=60 + (entries * 60 + weights * 16) / 1e6)


def _warm_up(task: Task, recipe: Recipe) -> None:
    """Open what the first fit of a process opens for all later ones: it does not grow with the rows."""
    for unit, longest in LONGEST.items():
        open_hashes(unit, longest)
    if is_margin(recipe, task):
        importlib.import_module("sklearn.svm")


def _rows_to_probe(few: Examples) -> int:
    """Return how many rows a probe may fit, by what reading a few takes: on a starved machine it shall end soon too."""
    began = time.perf_counter()
    for column in few.columns("text"):
        for _, codes in read_texts(few.rows, column).batches:
            for unit, longest in LONGEST.items():
                open_hashes(unit, longest)(codes)
    taken = max(time.perf_counter() - began, 1e-9)
    return int(np.clip(len(few) * _READING_SECONDS / taken, _FEWEST, _PROBE_ROWS))


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> NgramLinear:
    """Fit with the settings given, or with those that do best on `valid`."""
    if clock.expired:
        raise TrainingError("the time ended before the n-grams were counted", fix="raise budget.time")
    lesson = _Lesson.of(train, task, recipe, seed=seed, clock=clock)
    start = _replayed(settings)
    if valid is None or len(valid) == 0 or settings:
        return lesson.fitted(start)
    began = time.perf_counter()
    exam = _Exam.of(lesson, valid)
    first = exam.graded(lesson.fitted(start))
    once = time.perf_counter() - began
    best = _best(lesson, exam, first, once)
    return replace(best, searching_seconds=time.perf_counter() - began - once)


@dataclass(frozen=True)
class _Lesson:
    """The training rows as features, before anything is chosen."""

    blocks: tuple[Block, ...]
    presences: tuple[sp.csr_array, ...]
    y: np.ndarray
    weight: np.ndarray
    task: Task
    recipe: Recipe
    seed: int
    clock: Clock

    @classmethod
    def of(cls, train: Examples, task: Task, recipe: Recipe, *, seed: int, clock: Clock) -> _Lesson:
        most = min(MOST_NGRAMS, MOST_WEIGHTS // task.width)
        read = {name: read_texts(train.rows, name) for name in train.columns("text")}
        vocabularies = [
            learn(texts, unit, longest=longest, least=2, most=most)
            for texts in read.values()
            for unit, longest in LONGEST.items()
        ]
        presences = tuple(presence_of(vocabulary, read[vocabulary.column]) for vocabulary in vocabularies)
        y = train.y if task.kind == "classify" else None
        blocks = tuple(
            Block(vocabulary, worth_of(presence, y, task.width))
            for vocabulary, presence in zip(vocabularies, presences, strict=True)
        )
        return cls(blocks, presences, train.y, row_weights(train, task, recipe), task, recipe, seed, clock)

    def fitted(self, choice: Choice) -> NgramLinear:
        """Fit with one choice of settings; blocks that would count nothing are left out."""
        used = [i for i, block in enumerate(self.blocks) if _share(block, choice) > 0]
        blocks = tuple(self.blocks[i] for i in used)
        X = _joined(blocks, [self.presences[i] for i in used], choice)
        linear = solve(
            X,
            self.y,
            self.weight,
            self.task,
            self.recipe,
            strength=choice.strength,
            seed=self.seed,
            clock=self.clock,
        )
        return NgramLinear(blocks, linear, self.task, self.recipe, choice)


@dataclass(frozen=True)
class _Exam:
    """The validation rows as features."""

    presences: dict[int, sp.csr_array]
    y: np.ndarray

    @classmethod
    def of(cls, lesson: _Lesson, valid: Examples) -> _Exam:
        found = _presences(lesson.blocks, valid.rows)
        return cls({id(block): presence for block, presence in zip(lesson.blocks, found, strict=True)}, valid.y)

    def graded(self, model: NgramLinear) -> tuple[float, NgramLinear]:
        """Return the mean loss and the model with its temperature set."""
        X = _joined(model.blocks, [self.presences[id(block)] for block in model.blocks], model.choice)
        scores = model.linear.scores(X)
        if model.task.kind == "regress":
            return float(np.mean((scores[:, 0] - self.y) ** 2)), model
        if not is_margin(model.recipe, model.task):
            return _log_loss(scores, self.y, 1.0), model
        found = minimize_scalar(lambda t: _log_loss(scores, self.y, np.exp(t)), bounds=(-2.0, 4.0), method="bounded")
        choice = replace(model.choice, temperature=float(np.exp(found.x)))
        return float(found.fun), replace(model, choice=choice)


def _best(lesson: _Lesson, exam: _Exam, first: tuple[float, NgramLinear], once: float) -> NgramLinear:
    """Change one setting at a time, and keep what does better, while there is time for a fit of `once` seconds."""
    limit = time.perf_counter() + min(_SEARCH_SECONDS, _SEARCH_SHARE * lesson.clock.left())

    def tried(best: tuple[float, NgramLinear], name: str, value: float) -> tuple[float, NgramLinear]:
        if time.perf_counter() + once > limit:
            return best
        other = exam.graded(lesson.fitted(replace(best[1].choice, **{name: value})))
        return other if other[0] < best[0] else best

    best = first
    for value in WORD_WEIGHTS[1:]:
        best = tried(best, "words", value)
    if lesson.recipe.weight_decay is not None:
        return best[1]
    for way in (HALVED, DOUBLED):
        start = best
        for value in way:
            before, best = best, tried(best, "strength", value)
            if best is before:
                break
        if best is not start:
            break
    return best[1]


def _replayed(settings: Settings | None) -> Choice:
    known = {name: float(value) for name, value in (settings or {}).items() if name in Choice.__dataclass_fields__}
    return Choice(**known)


def _share(block: Block, choice: Choice) -> float:
    return choice.words if block.vocabulary.unit == "words" else 1.0


def _presences(blocks: Sequence[Block], rows: pl.DataFrame) -> list[sp.csr_array]:
    """Return which n-grams of each block the rows have; each column is read once."""
    read = {name: read_texts(rows, name) for name in {block.vocabulary.column for block in blocks}}
    return [presence_of(block.vocabulary, read[block.vocabulary.column]) for block in blocks]


def _joined(blocks: Sequence[Block], presences: Sequence[sp.csr_array], choice: Choice) -> sp.csr_array:
    """Return the features of all blocks side by side, each times its share."""
    parts = [
        block.weighted(presence) * np.float32(_share(block, choice))
        for block, presence in zip(blocks, presences, strict=True)
    ]
    return sp.csr_array(sp.hstack(parts, format="csr"))


def _answers(scores: np.ndarray, task: Task, scale: float) -> np.ndarray:
    if task.kind == "regress":
        return scores[:, 0]
    return np.asarray(softmax(scores * np.float32(scale), axis=1), dtype=np.float32)


def _log_loss(scores: np.ndarray, y: np.ndarray, scale: float) -> float:
    return float(-log_softmax(scores.astype(np.float64) * scale, axis=1)[np.arange(len(y)), y].mean())
