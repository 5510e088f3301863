"""What the families that read text with a neural network share: tokens in, training, and the way to ONNX.

A family brings a network that takes `ids, mask` (both int64 `[rows, length]`) of each text column in turn, and a
function that builds the same from spox nodes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import spox
from spox import Var, argument
from torch import nn

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.modalities.text.tokens import length_of_most, token_count, token_feed, train_tokenizer
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.networks import training
from headway.networks.batches import Columns, Lesson, Sequences
from headway.networks.nodes import answer, model_bytes
from headway.networks.plan import Plan, planned
from headway.networks.training import Trained, estimated, predict
from headway.package.graph import Graph
from headway.runtime.feeds import encode
from headway.runtime.manifest import TokenFeed
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# (tokens, text columns, outputs, dropout) -> an untrained network
Make = Callable[[int, int, int, float], nn.Module]
# (the trained network, ids and mask of each column) -> outputs [rows, width]
Nodes = Callable[[nn.Module, list[tuple[Var, Var]]], Var]
_PROBED = 256


@dataclass(frozen=True)
class Design:
    """A family of text networks: how it is built, exported, and trained by default (given the number of rows).

    `estimate` and `fit` are the two functions of `Family`.
    """

    make: Make
    nodes: Nodes
    plan: Callable[[int], Plan]

    def estimate(self, train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
        """Estimate one fit: train a tokenizer on some rows, and take a few steps on them."""
        began = time.perf_counter()
        few = train.take(np.random.default_rng(seed).permutation(len(train))[:_PROBED])
        feeds, tokenizer = _tokenized(few)
        source = _read(few.rows, feeds, tokenizer)
        reading = (time.perf_counter() - began) * len(train) / max(1, len(few)) / 4
        plan = planned(recipe, task, self.plan(len(train)))
        build = _builder(self, tokenizer, feeds, task, plan)
        seconds, memory = estimated(build, Lesson(source, few.y), len(train), task, plan, seed=seed)
        tokens = source.lengths.sum() * len(train) / max(1, len(few))
        return Estimate(seconds + reading, memory + float(tokens) * 24 / 1e6)

    def fit(
        self,
        train: Examples,
        valid: Examples | None,
        task: Task,
        recipe: Recipe,
        *,
        settings: Settings | None,
        seed: int,
        clock: Clock,
    ) -> TextNetwork:
        """Train within the clock; see `Family.fit`."""
        plan = planned(recipe, task, self.plan(len(train)))
        if clock.expired:
            raise TrainingError("the time ended before the texts were read", fix="raise budget.time")
        feeds, tokenizer = _tokenized(train)
        lesson = Lesson(_read(train.rows, feeds, tokenizer), train.y, train.weight)
        exam = None if valid is None else Lesson(_read(valid.rows, feeds, tokenizer), valid.y, valid.weight)
        build = _builder(self, tokenizer, feeds, task, plan)
        trained = training.train(build, lesson, exam, task, plan, seed=seed, clock=clock, settings=settings)
        return TextNetwork(trained, feeds, tokenizer, self.nodes)


@dataclass(frozen=True)
class TextNetwork:
    """A trained network with the tokenizer that it reads through."""

    trained: Trained
    feeds: tuple[TokenFeed, ...]
    tokenizer: bytes
    nodes: Nodes

    @property
    def settings(self) -> Settings:
        """Return the number of epochs."""
        return self.trained.settings

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss, and the validation error rate, per epoch."""
        loss = Curve("loss", self.trained.train_loss, self.trained.valid_loss)
        if self.trained.task.kind == "regress" or not self.trained.error:
            return (loss,)
        return loss, Curve("error rate", (), self.trained.error)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values of the trained network."""
        return predict(self.trained, _read(rows, self.feeds, self.tokenizer))

    def graph(self) -> Graph:
        """Return the network as ONNX; tokens come in through the feeds."""
        arguments: dict[str, Var] = {}
        for index, feed in enumerate(self.feeds):
            for part in ("ids", "mask"):
                arguments[f"{feed.name}.{part}"] = argument(spox.Tensor(np.int64, ("rows", f"length_{index}")))
        pairs = [(arguments[f"{feed.name}.ids"], arguments[f"{feed.name}.mask"]) for feed in self.feeds]
        outputs = answer(self.nodes(self.trained.network, pairs), self.trained)
        return Graph(model_bytes(arguments, outputs), self.feeds, {self.feeds[0].tokenizer: self.tokenizer})


def _tokenized(train: Examples) -> tuple[tuple[TokenFeed, ...], bytes]:
    """Train one tokenizer on all text columns; return a feed for each, and the tokenizer."""
    columns = train.columns("text")
    texts = [text for column in columns for text in train.rows[column].drop_nulls().to_list()]
    tokenizer = train_tokenizer(texts)
    whole = _read(train.rows, tuple(token_feed(column, tokenizer) for column in columns), tokenizer)
    longest = max(length_of_most(part.lengths) for part in whole.parts)
    return tuple(token_feed(column, tokenizer, max_length=longest) for column in columns), tokenizer


def _read(rows: pl.DataFrame, feeds: tuple[TokenFeed, ...], tokenizer: bytes) -> Columns:
    """Return the tokens of all rows, read as they will be in production."""
    parts = []
    for feed in feeds:
        arrays = encode(feed, {feed.columns[0]: rows[feed.columns[0]]}, files={feed.tokenizer: tokenizer})
        parts.append(Sequences.of(arrays[f"{feed.name}.ids"], arrays[f"{feed.name}.mask"]))
    return Columns(tuple(parts))


def _builder(design: Design, tokenizer: bytes, feeds: tuple[TokenFeed, ...], task: Task, plan: Plan) -> training.Build:
    tokens = token_count(tokenizer)
    return lambda: design.make(tokens, len(feeds), task.width, plan.dropout)
