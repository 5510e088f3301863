"""Metrics by their standard names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from headway.errors import HeadwayError
from headway.evaluation import formulas
from headway.evaluation.formulas import Answered, Estimated, Formula, Judged
from headway.tasks import Classify, Generate, Task

T = TypeVar("T")

_CLASSIFICATION: Mapping[str, Formula] = {
    "accuracy": formulas.accuracy,
    "balanced_accuracy": formulas.balanced_accuracy,
    "f1_macro": formulas.averaged("f1", "macro"),
    "f1_weighted": formulas.averaged("f1", "weighted"),
    "precision_macro": formulas.averaged("precision", "macro"),
    "precision_weighted": formulas.averaged("precision", "weighted"),
    "recall_macro": formulas.averaged("recall", "macro"),
    "recall_weighted": formulas.averaged("recall", "weighted"),
    "roc_auc": formulas.one_against_rest(formulas.roc_auc),
    "average_precision": formulas.one_against_rest(formulas.average_precision),
    "log_loss": formulas.log_loss,
    "brier": formulas.brier,
    "calibration_error": formulas.calibration_error,
}
_REGRESSION: Mapping[str, Callable[[Estimated], np.ndarray]] = {
    "rmse": formulas.root_mean_squared_error,
    "mae": formulas.mean_absolute_error,
    "r2": formulas.r2,
    "median_absolute_error": formulas.median_absolute_error,
}
_GENERATION: Mapping[str, Callable[[Judged], np.ndarray]] = {
    "bits_per_character": formulas.bits_per_character,
    "perplexity": formulas.perplexity,
}
_SMALLER_IS_BETTER = frozenset(
    {"log_loss", "brier", "calibration_error", "mean_cost", "rmse", "mae", "median_absolute_error", *_GENERATION,
     "repetition", "longest_copy", "frechet_distance", "frechet_floor", "copied_share"}
)  # fmt: skip
# What guessing gives where a figure is undefined; 0 for the others.
_CHANCE = {"roc_auc": 0.5}


def quick_metric(name: str, y: np.ndarray, answers: np.ndarray, task: Task, *, positive: int | None = None) -> float:
    """Return one figure, fast, for choosing between candidates.

    `y` `[n]` and `answers` (`[n, labels]` probabilities or `[n]` values) as in `evaluate`. Never NaN: where the figure
    is undefined on these rows (an area under a curve with one class) it is that of guessing, and for answers that are
    not finite it is the worst there is.
    """
    if not np.isfinite(answers).all():
        return -np.inf if greater_is_better(name) else np.inf
    value = float(score(name, y, answers, task, positive=positive)[0])
    return _CHANCE.get(name, 0.0) if np.isnan(value) else value


def score(
    name: str,
    y: np.ndarray,
    answers: np.ndarray,
    task: Task,
    *,
    weights: np.ndarray | None = None,
    decided: np.ndarray | None = None,
    positive: int | None = None,
) -> np.ndarray:
    """Return the metric `name` once per column of `weights` `[n, resamples]`; NaN where it is undefined.

    `decided` `[n]` holds the chosen classes where a threshold or costs make them differ from the most probable ones.
    `positive` is the class that the curves of a two-class task look for; see `positive_class`.
    """
    weights = np.ones((len(y), 1)) if weights is None else weights
    if isinstance(task, Generate):
        nats, tokens = answers.astype(np.float64).T
        return _find(name, _GENERATION, task)(Judged(y.astype(np.float64), nats, tokens, weights))
    if not isinstance(task, Classify):
        estimated = Estimated(y.astype(np.float64), answers.reshape(-1).astype(np.float64), weights)
        return _find(name, _REGRESSION, task)(estimated)
    probabilities = answers.astype(np.float64, copy=False)
    decided = probabilities.argmax(axis=1) if decided is None else decided
    positive = positive_class(y, task) if positive is None else positive
    return _find(name, _CLASSIFICATION, task)(Answered(y, probabilities, decided, weights, positive))


def greater_is_better(name: str) -> bool:
    """Tell whether a larger value of the metric is a better one."""
    return name not in _SMALLER_IS_BETTER and not name.startswith("width_")


def default_metric(task: Task, y: np.ndarray) -> str:
    """Return the metric to choose a model by when the user names none.

    Accuracy, except where always giving the commonest answer would already look good. For two classes with less than
    20% of the rarer one that is average precision of the rarer class: unlike ROC AUC it does not rise with the
    number of easy negatives (Saito and Rehmsmeier 2015), and it needs no threshold yet. For more classes with one
    above 80% it is macro F1. For numbers it is RMSE, for texts bits per character.
    """
    if isinstance(task, Generate):
        return "bits_per_character"
    if not isinstance(task, Classify):
        return "rmse"
    shares = np.bincount(y, minlength=task.width) / max(len(y), 1)
    if task.width == 2 and shares.min() < 0.2:
        return "average_precision"
    return "f1_macro" if task.width > 2 and shares.max() > 0.8 else "accuracy"


def positive_class(y: np.ndarray, task: Classify) -> int:
    """Return the class of interest of a two-class task: the clearly rarer one (below 40%), otherwise the second."""
    share = float(np.mean(y == 0)) if len(y) else 0.5
    return 0 if task.width == 2 and share < 0.4 else min(1, task.width - 1)


def metric_names(task: Task) -> tuple[str, ...]:
    """Return the names of all metrics of a task."""
    known = {"classify": _CLASSIFICATION, "regress": _REGRESSION, "generate": _GENERATION}
    return tuple(known[task.kind])


def _find(name: str, known: Mapping[str, T], task: Task) -> T:
    if name not in known:
        expected = "one of " + ", ".join(known)
        raise HeadwayError(f"a task to {task.kind} has no such metric", expected=expected, got=name)
    return known[name]
