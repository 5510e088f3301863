"""Choose, grow and export boosted trees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from spox import Var

from headway.compute.clock import Clock
from headway.modalities.table import session
from headway.modalities.table.features import Features, feature_nodes, fit_features, transform
from headway.models.answers import answer, link
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.folding import inner_folds
from headway.models.targets import TargetScale, as_columns, fit_target_scale
from headway.models.threads import threads_for
from headway.models.tree_ensemble import tree_nodes, trees_of_lightgbm
from headway.models.trees.boosting import LARGE, SMALL, Configuration, Ground, Growth, grow
from headway.models.weighting import row_weights
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Up to so many rows, settings come from cross-validation inside the training rows and several seeds are averaged.
_SMALL_ROWS = 4_000
_SEEDS = 3
_FOLDS = 4
_PROBE_ROWS = 4_000
_PROBE_ROUNDS = 10


@dataclass(frozen=True)
class Trees:
    """Boosted trees over table features; the answers of several boosters are averaged before the link function."""

    features: Features
    growths: tuple[Growth, ...]
    target: TargetScale | None
    task: Task
    settings: Settings
    curves: tuple[Curve, ...] = ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values; see `Fitted.predict`."""
        return answer(raw_scores(self.growths, transform(self.features, rows)), self.target)

    def graph(self) -> Graph:
        """Return features, all trees as one node, and the link function."""
        inputs = session.arguments(self.features.feeds)
        scores = score_nodes(self.growths, feature_nodes(self.features, inputs))
        return Graph(session.build(inputs, link(scores, self.target)), self.features.feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Time the features and a few rounds on some thousand rows and scale by rows and rounds."""
    rows = np.random.default_rng(seed).permutation(len(train))[:_PROBE_ROWS]
    started = time.monotonic()
    ground, _, _ = prepare(train.take(rows), task, recipe, seed)
    prepared = time.monotonic() - started
    started = time.monotonic()
    configurations = _configurations(len(train))
    grow(ground, None, configurations[0], rounds=_PROBE_ROUNDS, patience=0, seed=seed, clock=Clock())
    a_round = (time.monotonic() - started) / _PROBE_ROUNDS
    growth = max(1.0, len(train) / max(1, len(rows)))
    rounds = recipe.epochs or _most_rounds(recipe, configurations[0]) // 3
    fits = 0.7 * _FOLDS * len(configurations) + _SEEDS if len(train) <= _SMALL_ROWS else len(configurations)
    seconds = growth * (prepared + a_round * rounds * fits)
    return Estimate(seconds=seconds, memory_mb=30 + 1.2e-5 * len(train) * ground.matrix.shape[1])


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Trees:
    """Choose a configuration and its number of rounds, then grow the final trees on all of `train`."""
    ground, features, target = prepare(train, task, recipe, seed)
    held_out = None
    if settings is None and valid is not None and holds_out(train):
        held_out = examined(valid, features, target, ground)
    grown = choose_and_grow(ground, held_out, train.y, settings, clock)
    return Trees(features, grown.growths, target, task, grown.settings, grown.curves)


@dataclass(frozen=True)
class Grown:
    """Boosted trees, the settings that were chosen, and the curve of the loss they were chosen by."""

    growths: tuple[Growth, ...]
    settings: Settings
    curves: tuple[Curve, ...] = ()


def holds_out(train: Examples) -> bool:
    """Tell whether rows are so many that settings are chosen on a validation part."""
    return len(train) > _SMALL_ROWS


def examined(valid: Examples, features: Features, target: TargetScale | None, ground: Ground) -> Ground:
    """Return validation rows as the training rows are."""
    y = valid.y if target is None else target.forward(valid.y)
    weight = row_weights(valid, ground.task, ground.recipe)
    return Ground(transform(features, valid.rows), y, weight, ground.task, ground.recipe, ground.seed)


def choose_and_grow(
    ground: Ground, held_out: Ground | None, y: np.ndarray, settings: Settings | None, clock: Clock
) -> Grown:
    """Replay `settings`, or choose on `held_out`, or by cross-validation without it; `y` are the unscaled targets."""
    recipe, configurations = ground.recipe, _configurations(len(y))
    if settings is not None:
        configurations = (SMALL + LARGE) if "configuration" in settings else configurations
        chosen = configurations[int(settings.get("configuration", 0))]
        rounds = recipe.epochs or int(settings.get("rounds", 100))
        return Grown(_grow_all(ground, chosen, rounds, int(settings.get("seeds", 1)), clock), dict(settings))
    if held_out is None:
        chosen, rounds, curves = _cross_validate(ground, y, configurations, clock)
        seeds = _SEEDS if len(y) <= _SMALL_ROWS else 1
        growths = _grow_all(ground, chosen, rounds, seeds, clock)
    else:
        chosen, growth = _try_each(ground, held_out, configurations, clock)
        growths, rounds, seeds = (growth,), growth.rounds, 1
        curves = (Curve("loss", growth.train, growth.valid),)
    place = (SMALL + LARGE).index(chosen)
    return Grown(growths, {"configuration": place, "rounds": rounds, "seeds": seeds}, curves)


def prepare(train: Examples, task: Task, recipe: Recipe, seed: int) -> tuple[Ground, Features, TargetScale | None]:
    """Return the rows as features, how these are made, and the scale of the target."""
    is_robust = recipe.loss in ("mae", "huber")
    target = fit_target_scale(train.y, robust=is_robust) if task.kind == "regress" else None
    y = train.y if target is None else target.forward(train.y)
    features, matrix = fit_features(train.rows, train.inputs, as_columns(y, task), style="plain", seed=seed)
    return Ground(matrix, y, row_weights(train, task, recipe), task, recipe, seed), features, target


def _configurations(rows: int) -> tuple[Configuration, ...]:
    return SMALL if rows <= _SMALL_ROWS else LARGE


def _most_rounds(recipe: Recipe, configuration: Configuration) -> int:
    return recipe.epochs or int(40 / (recipe.learning_rate or configuration.rate))


def _patience(recipe: Recipe) -> int:
    return 30 if recipe.early_stopping is None else recipe.early_stopping


def _cross_validate(
    ground: Ground, y: np.ndarray, configurations: Sequence[Configuration], clock: Clock
) -> tuple[Configuration, int, tuple[Curve, ...]]:
    """Return the configuration and number of rounds with the lowest loss over folds of the training rows."""
    folds = inner_folds(y, ground.task, folds=_FOLDS, seed=ground.seed)
    if len(y) > _SMALL_ROWS:
        folds = folds[:1]
    best, best_rounds, lowest, curve = configurations[0], 50, float("inf"), np.zeros(0)
    for configuration in configurations:
        most = _most_rounds(ground.recipe, configuration)
        curves = []
        for fold in folds:
            if clock.expired:
                break
            part = grow(
                ground.take(fold.train),
                ground.take(fold.valid),
                configuration,
                rounds=most,
                patience=_patience(ground.recipe),
                seed=ground.seed,
                clock=clock,
            )
            curves.append(part.valid)
        if len(curves) < len(folds):
            break
        length = max(map(len, curves))
        # A fold that stopped early keeps its last loss.
        mean = np.mean([[*c, *[c[-1]] * (length - len(c))] for c in curves], axis=0)
        if mean.min() < lowest:
            best, best_rounds, lowest, curve = configuration, int(mean.argmin()) + 1, float(mean.min()), mean
    rounds = ground.recipe.epochs if _patience(ground.recipe) == 0 and ground.recipe.epochs else best_rounds
    return best, rounds, (Curve("loss", (), tuple(float(v) for v in curve)),)


def _try_each(
    ground: Ground, held_out: Ground, configurations: Sequence[Configuration], clock: Clock
) -> tuple[Configuration, Growth]:
    """Return the configuration with the lowest loss on `held_out`, and its trees."""
    best: tuple[Configuration, Growth] | None = None
    for configuration in configurations:
        if best is not None and clock.expired:
            break
        growth = grow(
            ground,
            held_out,
            configuration,
            rounds=_most_rounds(ground.recipe, configuration),
            patience=_patience(ground.recipe),
            seed=ground.seed,
            clock=clock,
        )
        if best is None or min(growth.valid) < min(best[1].valid):
            best = (configuration, growth)
    assert best is not None
    return best


def _grow_all(
    ground: Ground, configuration: Configuration, rounds: int, seeds: int, clock: Clock
) -> tuple[Growth, ...]:
    growths: list[Growth] = []
    for offset in range(seeds):
        if growths and clock.expired:
            break
        growths.append(
            grow(ground, None, configuration, rounds=rounds, patience=0, seed=ground.seed + offset, clock=clock)
        )
    return tuple(growths)


def score_nodes(growths: Sequence[Growth], features: Var) -> Var:
    """Return the same as `raw_scores` as nodes, float32 `[rows, outputs]`."""
    targets = growths[0].booster.num_model_per_iteration()
    trees = [
        tree
        for growth in growths
        for tree in trees_of_lightgbm(growth.booster.dump_model(num_iteration=growth.rounds), targets=targets)
    ]
    return tree_nodes(trees, features, base=np.zeros(targets), scale=1.0 / len(growths))


def raw_scores(growths: Sequence[Growth], matrix: np.ndarray) -> np.ndarray:
    """Return float64 `[n, outputs]`, the mean over the boosters before the link function."""
    scores = [
        np.asarray(
            growth.booster.predict(
                matrix, raw_score=True, num_iteration=growth.rounds, num_threads=threads_for(len(matrix))
            )
        )
        for growth in growths
    ]
    mean = np.mean(scores, axis=0)
    return np.asarray(mean[:, None] if mean.ndim == 1 else mean)
