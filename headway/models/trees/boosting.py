"""Grow boosted trees: a few good configurations, early stopping, the same trees for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm  # here and not where it is used, so that a probe does not time it
import numpy as np

from headway.compute.clock import Clock
from headway.models.threads import threads_for
from headway.tasks import Task
from headway.tasks.recipe import Recipe

Parameters = Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Configuration:
    """How large and how careful the trees are; `rate` is the shrinkage, `l2` the penalty on leaf values."""

    leaves: int
    rate: float
    least_rows: int
    columns: float
    rows: float
    l2: float


# For up to some thousand rows: small trees that see half of the columns each.
SMALL = (
    Configuration(leaves=4, rate=0.08, least_rows=10, columns=0.4, rows=0.7, l2=5.0),
    Configuration(leaves=8, rate=0.06, least_rows=15, columns=0.4, rows=0.6, l2=10.0),
    Configuration(leaves=2, rate=0.15, least_rows=5, columns=0.5, rows=0.8, l2=1.0),
)
LARGE = (
    Configuration(leaves=31, rate=0.08, least_rows=20, columns=0.8, rows=0.8, l2=1.0),
    Configuration(leaves=15, rate=0.05, least_rows=20, columns=0.6, rows=0.8, l2=5.0),
    Configuration(leaves=127, rate=0.05, least_rows=40, columns=0.6, rows=0.8, l2=2.0),
)


# What LightGBM wants to know when it bins the features.
_DATASET = {"max_bin": 127, "enable_bundle": False, "verbosity": -1, "zero_as_missing": False}


@dataclass(frozen=True)
class Ground:
    """Training rows as LightGBM wants them: features float32 `[n, width]` and targets (classes or scaled values).

    `offset`: float64 `[n, outputs]`, what another model says already and trees only add to; None for nothing.
    """

    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: Task
    recipe: Recipe
    seed: int
    offset: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Ground:
        """Return the rows at positions `rows`."""
        offset = None if self.offset is None else self.offset[rows]
        return Ground(self.matrix[rows], self.y[rows], self.weight[rows], self.task, self.recipe, self.seed, offset)


@dataclass(frozen=True)
class Growth:
    """Boosted trees and how the loss went: one value per round on training and validation rows."""

    booster: Any
    rounds: int
    train: tuple[float, ...] = ()
    valid: tuple[float, ...] = ()


def grow(
    ground: Ground,
    held_out: Ground | None,
    configuration: Configuration,
    *,
    rounds: int,
    patience: int,
    seed: int,
    clock: Clock,
) -> Growth:
    """Boost up to `rounds` rounds, stopping after `patience` rounds without gain on `held_out` or when time is up."""
    data = _dataset(ground)
    history: dict[str, dict[str, list[float]]] = {}
    callbacks: list[Callable[..., Any]] = [_stop_when_expired(clock)]
    valid_sets = []
    if held_out is not None:
        valid_sets = [_dataset(held_out, reference=data)]
        callbacks.append(lightgbm.record_evaluation(history))
        if patience > 0:
            callbacks.append(lightgbm.early_stopping(patience, verbose=False, min_delta=0.0))
    parameters = _parameters(configuration, ground.task, ground.recipe, len(ground.y), seed)
    booster = lightgbm.train(
        dict(parameters),
        data,
        num_boost_round=rounds,
        valid_sets=valid_sets,
        valid_names=["valid"] * len(valid_sets),
        callbacks=callbacks,
    )
    best = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    curve = tuple(next(iter(history.get("valid", {}).values()), []))
    return Growth(booster, max(1, best), valid=curve)


def _dataset(ground: Ground, reference: Any = None) -> Any:
    return lightgbm.Dataset(
        ground.matrix,
        ground.y,
        weight=ground.weight,
        init_score=None if ground.offset is None else ground.offset.ravel(order="F"),
        reference=reference,
        params=_DATASET,
        free_raw_data=False,
    )


def _parameters(configuration: Configuration, task: Task, recipe: Recipe, rows: int, seed: int) -> Parameters:
    return {
        **_objective(task, recipe),
        **_DATASET,
        "num_leaves": configuration.leaves,
        "learning_rate": recipe.learning_rate or configuration.rate,
        "min_data_in_leaf": configuration.least_rows,
        "feature_fraction": configuration.columns,
        "bagging_fraction": configuration.rows,
        "bagging_freq": 1,
        "lambda_l2": configuration.l2 if recipe.weight_decay is None else recipe.weight_decay,
        "lambda_l1": recipe.l1 or 0.0,
        "num_threads": threads_for(rows),
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
    }


def _objective(task: Task, recipe: Recipe) -> Parameters:
    if task.kind == "regress":
        name = {"mae": "regression_l1", "huber": "huber"}.get(recipe.loss or "", "regression")
        # Huber's loss moves by small steps: it starts at the median (0 on the target's scale), not at the mean.
        return {"objective": name, "alpha": recipe.huber_delta or 1.0, "boost_from_average": name != "huber"}
    if task.width == 2:
        return {"objective": "binary"}
    return {"objective": "multiclass", "num_class": task.width}


def _stop_when_expired(clock: Clock) -> Callable[[Any], None]:
    def stop(env: Any) -> None:
        if clock.expired and env.iteration > 0:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])

    return stop
