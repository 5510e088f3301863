"""Weights of training rows from the rows' own weights and the recipe's class weights."""

from __future__ import annotations

import difflib

import numpy as np

from headway.errors import TrainingError
from headway.models.family import Examples
from headway.tasks import Classify, Task
from headway.tasks.recipe import Recipe


def row_weights(examples: Examples, task: Task, recipe: Recipe) -> np.ndarray:
    """Return float64 `[n]` weights with mean 1; raises `TrainingError` for class weights of unknown labels."""
    weight = np.ones(len(examples)) if examples.weight is None else examples.weight.astype(np.float64)
    if isinstance(task, Classify) and recipe.class_weights is not None:
        weight = weight * _class_weights(examples.y, weight, task, recipe)[examples.y]
    return np.asarray(weight / weight.mean())


def _class_weights(y: np.ndarray, weight: np.ndarray, task: Classify, recipe: Recipe) -> np.ndarray:
    if recipe.class_weights == "balanced" or recipe.class_weights is None:
        counts = np.bincount(y, weights=weight, minlength=task.width)
        return np.where(counts > 0, counts.sum() / (task.width * np.maximum(counts, 1e-12)), 0.0)
    names = [str(label) for label in task.labels]
    for name in recipe.class_weights:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise TrainingError(
                f"class_weights names the label {name!r}, which the target does not have",
                expected=", ".join(names[:20]),
                got=name,
                fix=f"did you mean {near[0]!r}?" if near else "name one of the target's labels",
            )
    return np.array([float(recipe.class_weights.get(name, 1.0)) for name in names])
