"""Choose, fit and export the linear candidate."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.modalities.table import session
from headway.modalities.table.features import Basis, Features, feature_nodes, transform
from headway.models.answers import answer, link
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.linear.choosing import SMALL, Choice, prepare, search
from headway.models.solving import Line
from headway.models.targets import TargetScale
from headway.models.threads import few_threads
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# More rows do not change a linear model of some hundred features.
_MOST_ROWS = 200_000
_PROBE_ROWS = 500
# Share of the time left that the search may take on many rows.
_SEARCH_SHARE = 0.15


@dataclass(frozen=True)
class Linear:
    """A fitted line over table features."""

    features: Features
    line: Line
    target: TargetScale | None
    task: Task
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values; see `Fitted.predict`."""
        return answer(self.line(transform(self.features, rows)), self.target)

    def graph(self) -> Graph:
        """Return features, matrix product and link function as one graph."""
        inputs = session.arguments(self.features.feeds)
        outputs = op.gemm(
            feature_nodes(self.features, inputs),
            op.const(self.line.weights.astype(np.float32)),
            op.const(self.line.bias.astype(np.float32)),
        )
        return Graph(session.build(inputs, link(outputs, self.target)), self.features.feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time one choice on a few hundred rows and scale by rows and choices."""
    rows = np.random.default_rng(seed).permutation(len(train))[:_PROBE_ROWS]
    replay: Settings = {"basis": "hinges", "weight_decay": 0.01}
    started = time.monotonic()
    probe = fit(train.take(rows), None, task, recipe, settings=replay, seed=seed, clock=Clock())
    seconds = time.monotonic() - started
    used = min(len(train), _MOST_ROWS)
    growth = max(1.0, used / max(1, len(rows)))
    fits = 60 if used <= SMALL else 15
    memory = 20 + 4e-5 * used * max(8, len(probe.line.weights))
    return Estimate(seconds=seconds * (1 + 0.1 * fits * growth), memory_mb=memory)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Linear:
    """Choose basis and penalty by cross-validation inside `train` (small) or on `valid` (large), then fit `train`."""
    if len(train) > _MOST_ROWS:
        train = train.take(np.random.default_rng(seed).permutation(len(train))[:_MOST_ROWS])
    ground = prepare(train, task, recipe, seed=seed, log=bool((settings or {}).get("log", False)))
    if settings is None:
        # On many rows trees nearly always do better, and the time that a long search takes would be missing there.
        hurried = clock if len(train) <= SMALL else Clock.after(_SEARCH_SHARE * clock.left())
        with few_threads(len(train)):
            ground, choice = search(ground, valid, hurried)
    else:
        choice = Choice(
            basis=cast("Basis", settings.get("basis", "plain")),
            weight_decay=float(recipe.weight_decay or settings.get("weight_decay", 0.01)),
            l1=float(recipe.l1 or settings.get("l1", 0.0)),
        )
    features, matrix = ground.on(choice.basis)
    with few_threads(len(train)):
        line = ground.solve(matrix, np.arange(len(train)), choice)
    log = ground.target is not None and ground.target.log
    return Linear(features, line, ground.target, task, {**asdict(choice), "log": log})
