"""A linear head on the features of a frozen base: logistic regression or ridge, its strength chosen on validation."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.family import Examples
from headway.models.solving import Line, solve_logistic, solve_regression
from headway.models.targets import TargetScale, fit_target_scale, mean_loss
from headway.models.threads import few_threads
from headway.models.weighting import row_weights
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# L2 penalties a row (of standardised features) that are tried, from the strongest, which is the quickest to solve.
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01)
DEFAULT_PENALTY = 0.1
# A penalty that is worse than the best by this much ends the search: weaker ones only fit the training rows better.
_WORSE = 1.05


@dataclass(frozen=True)
class Head:
    """A line whose outputs become answers; `loss` is its validation loss, NaN where there was none."""

    line: Line
    target: TargetScale | None
    penalty: float
    loss: float = float("nan")

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return float32 probabilities `[n, labels]`, or values `[n]`."""
        return answer(self.line(features), self.target)


@dataclass(frozen=True)
class Exam:
    """Features of the validation rows, and the rows."""

    features: np.ndarray
    examples: Examples


def fit_head(
    features: np.ndarray,
    train: Examples,
    exam: Exam | None,
    task: Task,
    recipe: Recipe,
    *,
    penalty: float | None,
    seed: int,
    clock: Clock,
) -> Head:
    """Fit a head on `[n, width]` features; the penalty is the user's, the given one, or chosen on `exam`."""
    fixed = recipe.weight_decay if recipe.weight_decay is not None else penalty
    best: Head | None = None
    for strength in PENALTIES if fixed is None and exam is not None else (fixed or DEFAULT_PENALTY,):
        began = time.monotonic()
        head = solved(features, train, task, recipe, penalty=strength, seed=seed)
        if exam is not None:
            head = Head(head.line, head.target, head.penalty, loss_on(head, exam, task, recipe))
        if best is None or head.loss < best.loss:
            best = head
        elif head.loss > _WORSE * best.loss:
            break
        if clock.left() < 2 * (time.monotonic() - began):
            break
    assert best is not None
    return best


def solved(features: np.ndarray, train: Examples, task: Task, recipe: Recipe, *, penalty: float, seed: int) -> Head:
    """Return the head of one penalty; features are standardised for it, which is folded into the line."""
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation > 1e-6, deviation, 1.0)
    z = ((features - mean) / deviation).astype(np.float32)
    weight = row_weights(train, task, recipe)
    target = fit_target_scale(train.y) if task.kind == "regress" else None
    with few_threads(len(train)):
        if target is None:
            line = solve_logistic(z, train.y, weight, classes=task.width, weight_decay=penalty, l1=0.0, seed=seed)
        else:
            line = solve_regression(
                z,
                target.forward(train.y),
                weight,
                loss=recipe.loss or "mse",
                delta=recipe.huber_delta or 1.0,
                weight_decay=penalty,
                l1=0.0,
            )
    weights = line.weights / deviation[:, None]
    return Head(Line(weights, line.bias - mean @ weights), target, penalty)


def loss_on(head: Head, exam: Exam, task: Task, recipe: Recipe) -> float:
    """Return the mean loss on validation rows."""
    weight = row_weights(exam.examples, task, recipe)
    return mean_loss(head.predict(exam.features), exam.examples.y, weight, task, recipe)
