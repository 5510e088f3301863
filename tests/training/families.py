"""Small real families for the tournament's tests: each fits, predicts and exports."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import spox
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.data.dataset import Column, Fold
from headway.models.family import Card, Curve, Estimate, Examples, Registry
from headway.package.graph import Graph
from headway.runtime.manifest import NumberFeed
from headway.tasks import Classify
from headway.training.contest import Contest

TASK = Classify(("no", "yes"))
INPUTS = (Column("first", "number"), Column("second", "number"))


@dataclass(frozen=True)
class Logistic:
    """softmax of fixed weights times the numbers."""

    weights: np.ndarray
    settings: dict = field(default_factory=lambda: {"strength": 1.0})
    curves: tuple[Curve, ...] = ()
    lie: float = 0.0
    ballast: int = 0
    searching_seconds: float = 0.0

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        score = rows.select("first", "second").to_numpy() @ self.weights + self.lie
        positive = 1 / (1 + np.exp(-score))
        return np.stack([1 - positive, positive], axis=1).astype(np.float32)

    def graph(self) -> Graph:
        numbers = spox.argument(spox.Tensor(np.float32, ("rows", 2)))
        score = op.matmul(numbers, op.const(self.weights.reshape(2, 1).astype(np.float32)))
        if self.ballast:
            score = op.add(score, op.reduce_sum(op.const(np.zeros(self.ballast, np.float32)), keepdims=0))
        logits = op.concat([op.mul(score, op.const(np.float32(0))), score], axis=1)
        model = spox.build({"numbers": numbers}, {"probabilities": op.softmax(logits, axis=-1)})
        return Graph(model.SerializeToString(), (NumberFeed("numbers", ("first", "second")),))


@dataclass
class Sees:
    """A family that sees some of the numbers; counts its fits, and can be made slow, wrong or broken."""

    weights: tuple[float, float]
    seconds: float = 0.01
    memory_mb: float = 1.0
    lie: float = 0.0
    ballast: int = 0
    breaks: Exception | None = None
    wait: Callable[[], None] = lambda: None
    searches: float = 0.0
    row_seconds: float = 0.0
    fits: list[int] = field(default_factory=list)
    replayed: list[bool] = field(default_factory=list)

    def estimate(self, train, task, recipe, *, seed):
        return Estimate(self.seconds, self.memory_mb, self.row_seconds)

    def fit(self, train, valid, task, recipe, *, settings, seed, clock):
        self.fits.append(len(train))
        self.replayed.append(settings is not None)
        self.wait()
        if self.breaks is not None:
            raise self.breaks
        return Logistic(np.array(self.weights), lie=self.lie, ballast=self.ballast, searching_seconds=self.searches)


@dataclass(frozen=True)
class Room(Registry):
    """A registry of the families of a test."""

    families: dict = field(default_factory=dict)

    def load(self, name):
        return self.families[name]


def room(**families) -> Room:
    cards = {
        name: Card(
            name,
            "",
            frozenset({"number"}),
            frozenset({"classify"}),
            elastic=name.startswith("elastic"),
            self_tuning=name.startswith("tuning"),
            most_rows_a_label=9 if name.startswith("few") else None,
            extra="deep" if name.startswith("heavy") else None,
            base="text_encoder" if name.endswith("pretrained") else None,
        )
        for name in families
    }
    return Room(cards, families)


def contest(rows: int = 600, folds: int = 1, **options) -> Contest:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(rows, 2))
    y = (numbers @ np.array([2.0, 2.0]) + generator.logistic(size=rows) > 0).astype(np.int64)
    frame = pl.DataFrame({"first": numbers[:, 0], "second": numbers[:, 1]})
    everyone = np.arange(rows)
    if folds == 1:
        parts = (Fold(everyone[: rows // 2], everyone[rows // 2 :]),)
    else:
        parts = tuple(Fold(everyone[everyone % folds != k], everyone[everyone % folds == k]) for k in range(folds))
    return Contest(Examples(frame, INPUTS, y), everyone, parts, TASK, "accuracy", **options)


NO_HURRY = Clock()
