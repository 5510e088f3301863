"""Choose, grow and export a forest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op
from sklearn import ensemble  # here and not where it is used, so that a probe does not time it
from spox import Var

from headway.compute.clock import Clock
from headway.modalities.table import session
from headway.modalities.table.features import Features, feature_nodes, fit_features, transform
from headway.models.answers import last_axis
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.targets import TargetScale, as_columns, fit_target_scale, mean_loss
from headway.models.threads import threads_for
from headway.models.tree_ensemble import tree_nodes, trees_of_sklearn
from headway.models.weighting import row_weights
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# On few rows the error of the data is far above what another hundred trees would average out.
_TREES, _FEW_TREES, _FEW_ROWS = 200, 100, 2_000
_BATCH = 50
_PROBE_ROWS = 2_000
# A forest of deep trees on more rows would be slow to grow and large to ship.
_MOST_ROWS = 50_000
# A forest's probabilities are shares of trees; nobody is ever quite sure.
_LEAST = 1e-3


@dataclass(frozen=True)
class Configuration:
    """`extra`: split points drawn at random (Geurts et al. 2006), else searched (Breiman 2001)."""

    extra: bool
    least_rows: int


CONFIGURATIONS = (
    Configuration(extra=True, least_rows=3),
    Configuration(extra=False, least_rows=3),
    Configuration(extra=True, least_rows=1),
    Configuration(extra=False, least_rows=8),
)


@dataclass(frozen=True)
class Forest:
    """Trees whose answers are averaged; `values[i]`, `[nodes, targets]`, are the answers of tree i."""

    features: Features
    estimators: tuple[Any, ...]
    values: tuple[np.ndarray, ...]
    target: TargetScale | None
    task: Task
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values; see `Fitted.predict`."""
        return _answer(_mean_of_trees(self.estimators, self.values, transform(self.features, rows)), self.target)

    def graph(self) -> Graph:
        """Return features, all trees as one node, and the clean-up of the averages."""
        inputs = session.arguments(self.features.feeds)
        targets = self.values[0].shape[1]
        mean = tree_nodes(
            trees_of_sklearn(self.estimators, self.values),
            feature_nodes(self.features, inputs),
            base=np.zeros(targets),
            scale=1.0 / len(self.estimators),
        )
        return Graph(session.build(inputs, _answer_nodes(mean, self.target)), self.features.feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time ten trees on some thousand rows and scale by rows, trees and configurations."""
    rows = np.random.default_rng(seed).permutation(len(train))[:_PROBE_ROWS]
    started = time.monotonic()
    probe = fit(train.take(rows), None, task, recipe, settings={"trees": 10}, seed=seed, clock=Clock())
    seconds = time.monotonic() - started
    growth = max(1.0, min(len(train), _MOST_ROWS) / max(1, len(rows)))
    nodes = sum(len(value) for value in probe.values) / 10 * growth
    trees = recipe.epochs or _tree_count(len(train))
    work = (trees + _BATCH * len(CONFIGURATIONS)) / 10
    return Estimate(seconds=seconds * (0.3 + 0.5 * work * growth), memory_mb=40 + 2e-4 * nodes * trees)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Forest:
    """Choose a configuration by out-of-bag loss, then grow it to its full number of trees."""
    del valid
    if len(train) > _MOST_ROWS:
        train = train.take(np.random.default_rng(seed).permutation(len(train))[:_MOST_ROWS])
    target = fit_target_scale(train.y) if task.kind == "regress" else None
    y = train.y if target is None else target.forward(train.y)
    features, matrix = fit_features(train.rows, train.inputs, as_columns(y, task), style="plain", seed=seed)
    ground = _Ground(matrix, y, row_weights(train, task, recipe), task, seed)
    trees = recipe.epochs or int((settings or {}).get("trees", _tree_count(len(train))))
    if settings is None:
        place, model = _choose(ground, train.y, recipe, target, trees=min(_BATCH, trees), clock=clock)
    else:
        place, model = int(settings.get("configuration", 0)), None
    model = _grow(CONFIGURATIONS[place], ground, trees, clock, model)
    values = tuple(_values(estimator, model, task) for estimator in model.estimators_)
    chosen = {"configuration": place, "trees": len(values)}
    return Forest(features, tuple(model.estimators_), values, target, task, chosen)


@dataclass(frozen=True)
class _Ground:
    """Training rows as forests want them: features `[n, width]` and targets (classes or scaled values)."""

    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: Task
    seed: int


def _tree_count(rows: int) -> int:
    return _FEW_TREES if rows <= _FEW_ROWS else _TREES


def _choose(
    ground: _Ground, y: np.ndarray, recipe: Recipe, target: TargetScale | None, *, trees: int, clock: Clock
) -> tuple[int, Any]:
    """Return the configuration whose trees do best on the rows that each of them did not see, and these trees."""
    best, grown, lowest = 0, None, float("inf")
    for place, configuration in enumerate(CONFIGURATIONS):
        if clock.expired:
            break
        model = _grow(configuration, ground, trees, clock)
        values = [_values(estimator, model, ground.task) for estimator in model.estimators_]
        answers, judged = _out_of_bag(model, values, ground.matrix, target)
        if not judged.any():
            break
        loss = mean_loss(answers[judged], y[judged], ground.weight[judged], ground.task, recipe)
        if loss < lowest:
            best, grown, lowest = place, model, loss
    return best, grown


def _grow(configuration: Configuration, ground: _Ground, trees: int, clock: Clock, model: Any = None) -> Any:
    """Grow trees in batches until there are `trees` of them or time is up; those of `model` are kept."""
    if model is None:
        model = _seedling(configuration, ground, min(_BATCH, trees))
        model.fit(ground.matrix, ground.y, sample_weight=ground.weight)
    while model.n_estimators < trees and not clock.expired:
        model.n_estimators = min(trees, model.n_estimators + _BATCH)
        model.fit(ground.matrix, ground.y, sample_weight=ground.weight)
    return model


def _seedling(configuration: Configuration, ground: _Ground, trees: int) -> Any:
    return _kind(configuration, ground.task)(
        n_estimators=trees,
        min_samples_leaf=configuration.least_rows,
        max_features="sqrt" if ground.task.kind == "classify" else 0.5,
        bootstrap=True,
        n_jobs=threads_for(len(ground.y)),
        random_state=ground.seed,
        warm_start=True,
    )


def _kind(configuration: Configuration, task: Task) -> Any:
    if task.kind == "classify":
        return ensemble.ExtraTreesClassifier if configuration.extra else ensemble.RandomForestClassifier
    return ensemble.ExtraTreesRegressor if configuration.extra else ensemble.RandomForestRegressor


def _values(estimator: Any, model: Any, task: Task) -> np.ndarray:
    """Return one tree's answers, `[nodes, targets]`: one per class (of two, the second's only), or the value."""
    value = estimator.tree_.value[:, 0, :]
    if task.kind == "regress":
        return np.asarray(value)
    shares = np.zeros((len(value), task.width))
    shares[:, model.classes_] = value / value.sum(axis=1, keepdims=True)
    return shares[:, 1:] if task.width == 2 else shares


def _out_of_bag(
    model: Any, values: Sequence[np.ndarray], matrix: np.ndarray, target: TargetScale | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's answer by the trees that did not train on it, and which rows have such trees."""
    sums, counts = np.zeros((len(matrix), values[0].shape[1])), np.zeros(len(matrix))
    for estimator, value, drawn in zip(model.estimators_, values, model.estimators_samples_, strict=True):
        unseen = np.ones(len(matrix), bool)
        unseen[drawn] = False
        sums[unseen] += value[estimator.tree_.apply(matrix[unseen])]
        counts[unseen] += 1
    return _answer(sums / np.maximum(counts, 1)[:, None], target), counts > 0


def _mean_of_trees(estimators: Sequence[Any], values: Sequence[np.ndarray], matrix: np.ndarray) -> np.ndarray:
    total = np.zeros((len(matrix), values[0].shape[1]))
    for estimator, value in zip(estimators, values, strict=True):
        total += value[estimator.tree_.apply(matrix)]
    return total / len(estimators)


def _answer(mean: np.ndarray, target: TargetScale | None) -> np.ndarray:
    """Return float32 probabilities that are never 0 and sum to 1, or values."""
    if target is not None:
        return target.inverse(mean[:, 0]).astype(np.float32)
    shares = np.concatenate([1 - mean, mean], axis=1) if mean.shape[1] == 1 else mean
    bounded = np.clip(shares, _LEAST, 1.0)
    return np.asarray(bounded / bounded.sum(axis=1, keepdims=True), np.float32)


def _answer_nodes(mean: Var, target: TargetScale | None) -> dict[str, Var]:
    if target is not None:
        return {"values": target.nodes(mean)}
    shares = mean
    if last_axis(mean) == 1:
        shares = op.concat([op.sub(op.const(np.float32(1)), mean), mean], axis=1)
    bounded = op.clip(shares, op.const(np.float32(_LEAST)), op.const(np.float32(1)))
    total = op.reduce_sum(bounded, op.const(np.array([1], np.int64)))
    return {"probabilities": op.div(bounded, total)}
