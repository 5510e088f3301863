"""Linear models on sparse rows: liblinear for the squared hinge, L-BFGS for every other standard loss."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp

from headway.compute.clock import Clock
from headway.models.ngram_linear.smooth import Linear, minimise
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Scores of a label that no training row has: below any margin.
_ABSENT = -2.0


def is_margin(recipe: Recipe, task: Task) -> bool:
    """Tell whether the scores will be SVM margins, which need a temperature to become logits."""
    return task.kind == "classify" and recipe.loss is None and recipe.label_smoothing is None


def solve(
    X: sp.csr_array,
    y: np.ndarray,
    rows: np.ndarray,
    task: Task,
    recipe: Recipe,
    *,
    strength: float,
    seed: int,
    clock: Clock,
) -> Linear:
    """Fit a linear model; `strength` is liblinear's C (the loss of a row against half the squared weights).

    `rows`: the weight of each row, float64 `[n]` with mean 1.
    """
    if recipe.weight_decay is not None:
        strength = 1 / max(recipe.weight_decay * len(y), 1e-9)
    if is_margin(recipe, task):
        return _margins(X, y, rows, task.width, recipe, strength=strength, seed=seed)
    return minimise(X, y, rows, task, recipe, strength=strength, clock=clock)


def _margins(
    X: sp.csr_array, y: np.ndarray, rows: np.ndarray, width: int, recipe: Recipe, *, strength: float, seed: int
) -> Linear:
    """One squared-hinge SVM per label (Fan et al. 2008, LIBLINEAR), with L1 instead of L2 where asked."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    present = np.unique(y)
    weights = np.zeros((X.shape[1], width), np.float32)
    bias = np.full(width, _ABSENT, np.float32)
    if len(present) == 1:
        bias[present] = 1.0
        return Linear(weights, bias)
    sparse = recipe.l1 is not None and recipe.l1 > 0
    model = LinearSVC(
        C=1 / (recipe.l1 * len(y)) if sparse and recipe.l1 else strength,
        penalty="l1" if sparse else "l2",
        dual=not sparse,
        max_iter=recipe.epochs or 300,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # A last digit that has not settled costs no accuracy; the validation part is the judge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_narrow(X), y, sample_weight=rows)
    coefficients, intercept = model.coef_, model.intercept_
    if len(present) == 2:
        coefficients, intercept = np.vstack([-coefficients, coefficients]), np.concatenate([-intercept, intercept])
    weights[:, present] = coefficients.T
    bias[present] = intercept
    return Linear(weights, bias)


def _narrow(X: sp.csr_array) -> sp.csr_array:
    """Return `X` with 32-bit positions, which liblinear asks for."""
    return sp.csr_array((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape)
