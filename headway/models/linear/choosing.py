"""Choose the basis of the numbers and the strength of the penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from headway.compute.clock import Clock
from headway.modalities.table.features import Basis, Features, fit_features, rebase, transform
from headway.models.answers import answer
from headway.models.family import Examples
from headway.models.folding import inner_folds
from headway.models.solving import Line, solve_logistic, solve_regression
from headway.models.targets import TargetScale, as_columns, fit_target_scale, mean_loss, wants_log
from headway.models.weighting import row_weights
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Up to so many rows settings are chosen by cross-validation inside the training rows, which is steadier.
SMALL = 5_000
_STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_MIDDLE = 0.01
_BASES: tuple[Basis, ...] = ("plain", "hinges", "steps", "pairs")
_FOLDS = 4
# Pairs of features are tried while they make up to so many numbers: 80 MB.
_MOST_CELLS = 2e7


@dataclass(frozen=True)
class Choice:
    """One point of the search."""

    basis: Basis
    weight_decay: float
    l1: float = 0.0


@dataclass(frozen=True)
class Ground:
    """What all choices share: the training rows, their features on the plain basis, scaled targets and weights."""

    train: Examples
    features: Features
    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    target: TargetScale | None
    task: Task
    recipe: Recipe
    seed: int

    def on(self, basis: Basis) -> tuple[Features, np.ndarray]:
        """Return the features and the training matrix on `basis`."""
        return rebase(self.features, self.train.rows, self.matrix, basis=basis)

    def solve(self, matrix: np.ndarray, rows: np.ndarray, choice: Choice, start: Line | None = None) -> Line:
        """Fit a line to `rows` of a training matrix, from the line `start` of a similar choice where there is one."""
        if self.target is None:
            return solve_logistic(
                matrix[rows],
                self.y[rows],
                self.weight[rows],
                classes=self.task.width,
                weight_decay=choice.weight_decay,
                l1=choice.l1,
                seed=self.seed,
                start=start,
            )
        return solve_regression(
            matrix[rows],
            self.y[rows],
            self.weight[rows],
            loss=self.recipe.loss or "mse",
            delta=self.recipe.huber_delta or 1.0,
            weight_decay=choice.weight_decay,
            l1=choice.l1,
        )


def prepare(train: Examples, task: Task, recipe: Recipe, *, seed: int, log: bool = False) -> Ground:
    """Learn the features and scale the targets, by their logarithm where `log`."""
    target = fit_target_scale(train.y, log=log) if task.kind == "regress" else None
    y = train.y if target is None else target.forward(train.y)
    features, matrix = fit_features(train.rows, train.inputs, as_columns(y, task), style="scaled", seed=seed)
    return Ground(train, features, matrix, y, row_weights(train, task, recipe), target, task, recipe, seed)


def search(ground: Ground, valid: Examples | None, clock: Clock) -> tuple[Ground, Choice]:
    """Return the choice of the lowest loss, and the ground it stands on (the target may go on a logarithmic scale)."""
    best = Choice("plain", ground.recipe.weight_decay or _MIDDLE, ground.recipe.l1 or 0.0)
    lowest = float("inf")
    for basis in _BASES:
        if basis == "pairs" and _is_vast(ground):
            continue
        features, matrix = ground.on(basis)
        if basis != "plain" and features.width == ground.features.width:
            continue
        measure = _measure(ground, features, matrix, valid)
        for choice, loss in _climbed(basis, ground.recipe, measure, clock):
            if loss < lowest * (1 - 1e-3):
                lowest, best = loss, choice
        if clock.expired:
            return ground, best
    if ground.target is not None and wants_log(ground.train.y) and not clock.expired:
        logged = prepare(ground.train, ground.task, ground.recipe, seed=ground.seed, log=True)
        features, matrix = logged.on(best.basis)
        if _measure(logged, features, matrix, valid)(best) < lowest:
            return logged, best
    return ground, best


def _is_vast(ground: Ground) -> bool:
    """Tell whether all pairs of features over all rows are too many numbers for what they may gain."""
    numeric = ground.features.measures
    return len(ground.train) * numeric * (numeric + 1) / 2 > _MOST_CELLS


def _climbed(
    basis: Basis, recipe: Recipe, measure: Callable[[Choice], float], clock: Clock
) -> Iterator[tuple[Choice, float]]:
    """Yield choices on one basis with their losses: from the middle strength both ways, while the loss falls.

    What the user fixed stays fixed.
    """
    l1 = recipe.l1 or 0.0
    if recipe.weight_decay is not None:
        choice = Choice(basis, recipe.weight_decay, l1)
        yield choice, measure(choice)
        return
    middle = Choice(basis, _MIDDLE, l1)
    start = measure(middle)
    yield middle, start
    for side in ([s for s in _STRENGTHS if s > _MIDDLE], [s for s in reversed(_STRENGTHS) if s < _MIDDLE]):
        latest = start
        for strength in side:
            if clock.expired:
                return
            choice = Choice(basis, strength, l1)
            loss = measure(choice)
            yield choice, loss
            if loss >= latest:
                break
            latest = loss


def _measure(
    ground: Ground, features: Features, matrix: np.ndarray, valid: Examples | None
) -> Callable[[Choice], float]:
    """Return a function from a choice to its loss on rows it was not fitted on."""
    everything = np.arange(len(ground.y))
    if len(everything) > SMALL and valid is not None:
        held_out = transform(features, valid.rows)
        valid_weight = row_weights(valid, ground.task, ground.recipe)
        last: list[Line] = []

        def hold_out(choice: Choice) -> float:
            last[:] = [ground.solve(matrix, everything, choice, last[0] if last else None)]
            return _loss(ground, last[0], held_out, valid.y, valid_weight)

        return hold_out
    folds = inner_folds(ground.train.y, ground.task, folds=_FOLDS, seed=ground.seed)
    if len(everything) > SMALL:
        folds = folds[:1]

    lines: dict[int, Line] = {}

    def cross_validate(choice: Choice) -> float:
        losses = []
        for number, fold in enumerate(folds):
            lines[number] = ground.solve(matrix, fold.train, choice, lines.get(number))
            losses.append(
                _loss(ground, lines[number], matrix[fold.valid], ground.train.y[fold.valid], ground.weight[fold.valid])
            )
        return float(np.mean(losses))

    return cross_validate


def _loss(ground: Ground, line: Line, matrix: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return mean_loss(answer(line(matrix), ground.target), y, weight, ground.task, ground.recipe)
