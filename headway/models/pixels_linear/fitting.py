"""Fit a linear model on principal components of pixels, and fold both into one matrix."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op
from scipy.special import softmax
from spox import build

from headway.compute.clock import Clock
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame, frame_for, frame_from
from headway.modalities.image.pixels import Standard, image_argument, standard_of
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.pixels_linear.components import components_of, pooled, pooled_features
from headway.package.graph import Graph
from headway.tasks import Classify, Task
from headway.tasks.recipe import Recipe

# The longer side at which large images are read; the network's, so that both read the same feed.
LONGEST = 96
# L2 penalties per row that are tried on the validation part, from the strongest.
PENALTIES = (3e-2, 3e-3, 3e-4, 3e-5)
DEFAULT_PENALTY = 3e-4
PROBED = 256
ITERATIONS = 100


@dataclass(frozen=True)
class Linear:
    """`outputs = x @ weights + bias`: `[pixels, width]`, `[width]`, in the unit of logits or of the target."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class FittedPixels:
    """A linear model of pooled pixels."""

    linear: Linear
    task: Task
    columns: tuple[str, ...]
    frame: Frame
    standard: Standard
    penalty: float
    curves: tuple[Curve, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return the frame and the L2 penalty."""
        return {"penalty": self.penalty, **self.frame.settings}

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values."""
        return answers(features(rows, self.columns, self.frame, self.standard), self.linear, self.task)

    def graph(self) -> Graph:
        """Return pooling, standardisation and the linear model as ONNX."""
        feeds = tuple(self.frame.feed(column) for column in self.columns)
        inputs = {feed.name: image_argument(self.frame) for feed in feeds}
        parts = [pooled(pixels, self.standard, self.frame) for pixels in inputs.values()]
        x = parts[0] if len(parts) == 1 else op.concat(parts, axis=1)
        outputs = op.add(op.matmul(x, op.const(self.linear.weights)), op.const(self.linear.bias))
        named = {"probabilities": op.softmax(outputs, axis=1)} if self.task.kind == "classify" else {"values": outputs}
        return Graph(build(inputs, named).SerializeToString(), feeds)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one `fit`: reading grows with the rows, solving with rows and labels."""
    few = train.take(np.arange(0, len(train), max(1, len(train) // PROBED)))
    began = time.perf_counter()
    fitted = fit(few, None, task, recipe, settings=None, seed=seed, clock=Clock())
    seconds = (time.perf_counter() - began) * len(train) / len(few) * len(PENALTIES)
    wide = 2 * (fitted.frame.width * fitted.frame.height * 3 + 4 * len(fitted.linear.weights))
    return Estimate(seconds, wide * len(train) * len(fitted.columns) / 1e6 + 50)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,  # noqa: ARG001 - nothing here is random
    clock: Clock,
) -> FittedPixels:
    """Choose the L2 penalty on `valid`; see `Family.fit`."""
    columns = train.columns("image")
    cells = [cell for column in columns for cell in train.rows[column].to_list()]
    frame = frame_from(settings) or frame_for(cells, longest=LONGEST)
    pixels = read(train.rows, columns, frame)
    standard = standard_of(pixels)
    x = pooled_features(pixels, standard, frame)
    components = components_of(x)
    z = components.apply(x)
    fitted: Callable[[float], Linear] = lambda penalty: _folded(  # noqa: E731 - the one open argument
        solved(z, train, task, recipe, penalty), components.axes, components.mean
    )
    penalty = float((settings or {}).get("penalty", DEFAULT_PENALTY))
    if recipe.weight_decay is not None:
        penalty = recipe.weight_decay
    elif valid is not None:
        exam = features(valid.rows, columns, frame, standard)
        penalty = best_penalty(fitted, exam, valid, task, clock)
    return FittedPixels(fitted(penalty), task, columns, frame, standard, penalty)


def read(rows: pl.DataFrame, columns: tuple[str, ...], frame: Frame) -> tuple[np.ndarray, ...]:
    """Return the pixels of each column, uint8 `[n, height, width, channels]`."""
    return tuple(decoded.read(frame.feed(column), rows[column].to_list()) for column in columns)


def features(rows: pl.DataFrame, columns: tuple[str, ...], frame: Frame, standard: Standard) -> np.ndarray:
    """Return pooled pixels, float32 `[n, pixels]`."""
    return pooled_features(read(rows, columns, frame), standard, frame)


def best_penalty(fitted: Callable[[float], Linear], x: np.ndarray, valid: Examples, task: Task, clock: Clock) -> float:
    """Return the penalty with the least validation loss; stops early where the time is short."""
    losses: dict[float, float] = {}
    for penalty in PENALTIES:
        began = time.perf_counter()
        losses[penalty] = loss_of(answers(x, fitted(penalty), task), valid.y, task)
        if clock.left() < 3 * (time.perf_counter() - began):
            break
    return min(losses, key=losses.__getitem__)


def solved(z: np.ndarray, train: Examples, task: Task, recipe: Recipe, penalty: float) -> Linear:
    """Return the linear model on components: multinomial logistic regression, or ridge."""
    if task.kind == "regress":
        return _ridge(z, train, penalty)
    assert task.kind == "classify"
    return _logistic(z, train, task, recipe, penalty)


def _ridge(z: np.ndarray, train: Examples, penalty: float) -> Linear:
    from sklearn.linear_model import Ridge

    y = train.y.astype(np.float64)
    model = Ridge(alpha=penalty * len(z)).fit(z.astype(np.float64), y, sample_weight=train.weight)
    return Linear(model.coef_.reshape(-1, 1), np.atleast_1d(model.intercept_))


def _logistic(z: np.ndarray, train: Examples, task: Classify, recipe: Recipe, penalty: float) -> Linear:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(train.y)
    weights = np.zeros((z.shape[1], task.width))
    bias = np.full(task.width, -20.0)  # a label that never occurs
    if len(present) == 1:
        bias[present] = 0.0
        return Linear(weights, bias)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # enough iterations for the answer, not for the optimum
        model = LogisticRegression(
            C=1 / (penalty * len(z)), max_iter=ITERATIONS, tol=1e-3, class_weight=_class_weights(task, recipe, present)
        ).fit(z, train.y, sample_weight=train.weight)
    if len(present) == 2:
        weights[:, present] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2], axis=1)
        bias[present] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        weights[:, present], bias[present] = model.coef_.T, model.intercept_
    return Linear(weights, bias)


def _class_weights(task: Classify, recipe: Recipe, present: np.ndarray) -> str | dict[int, float] | None:
    if recipe.class_weights is None or isinstance(recipe.class_weights, str):
        return recipe.class_weights
    return {int(label): recipe.class_weights.get(str(task.labels[label]), 1.0) for label in present}


def _folded(linear: Linear, axes: np.ndarray, mean: np.ndarray) -> Linear:
    """Return the same model as one matrix on pooled pixels."""
    weights = axes.astype(np.float64) @ linear.weights
    return Linear(weights.astype(np.float32), (linear.bias - mean @ weights).astype(np.float32))


def answers(x: np.ndarray, linear: Linear, task: Task) -> np.ndarray:
    """Return float32 probabilities `[n, labels]` or values `[n]`."""
    outputs = x @ linear.weights + linear.bias
    return np.asarray(softmax(outputs, axis=1) if task.kind == "classify" else outputs[:, 0], dtype=np.float32)


def loss_of(found: np.ndarray, y: np.ndarray, task: Task) -> float:
    """Return the mean log loss, or the mean squared error."""
    if task.kind == "classify":
        return float(-np.log(np.maximum(found[np.arange(len(y)), y], 1e-9)).mean())
    return float(((found - y) ** 2).mean())
