"""Score a set of answers: figures, intervals, and where the mistakes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.dataset import ROW, Column
from headway.errors import HeadwayError
from headway.evaluation.bootstrap import FEWEST_RESAMPLES, RESAMPLES, draw_weights, intervals, percentile_interval
from headway.evaluation.decisions import Costs, decide
from headway.evaluation.formulas import Answered, calibration_bins, tally
from headway.evaluation.metrics import metric_names, positive_class, score
from headway.evaluation.scores import Mistake, Scores, Slice
from headway.evaluation.slices import find_slices
from headway.tasks import Classify, Generate, Regress, Task

HEADLINE = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "log_loss", "brier", "rmse", "mae", "r2")
# Metrics that need a curve per label, and the rows times labels times resamples that their intervals may cost.
CURVES = ("roc_auc", "average_precision")
CURVE_CELLS = 10_000_000
MISTAKES = 20


def evaluate(
    y: np.ndarray,
    answers: np.ndarray,
    task: Task,
    *,
    rows: pl.DataFrame | None = None,
    inputs: tuple[Column, ...] = (),
    threshold: tuple[int, float] | None = None,
    costs: Costs | None = None,
    positive: int | None = None,
    widths: Mapping[float, float] | None = None,
    seed: int = 0,
    detail: bool = True,
) -> Scores:
    """Score `answers` (`[n, labels]` probabilities, or `[n]` values) against `y` (`[n]` class indices or values).

    For texts `answers` are `[n, 2]` nats and tokens, and `y` characters, as `Generate` says.

    `rows` (`[n]` rows) and `inputs` let slices and mistakes name what they are about. `threshold` (class, probability)
    or `costs` decide the answers as `decide` does; with costs, `mean_cost` is one of the figures. `widths` maps a level
    (0 to 1) to the half width of an interval around each value; `coverage_<percent>` is then the share of rows inside.
    A figure that is undefined on these rows, such as ROC AUC with one class, is left out. `detail=False` gives the
    figures alone. The same seed gives the same intervals. Raises `HeadwayError` where answers do not fit `y`.
    """
    _check(y, answers, task)
    about = _About(rows, inputs, seed, detail=detail)
    if isinstance(task, Classify):
        probabilities = answers.astype(np.float64)
        decided = decide(probabilities, threshold=threshold, costs=costs)
        positive = positive_class(y, task) if positive is None else positive
        of = Answered(y, probabilities, decided, np.ones((len(y), 1)), positive)
        return _score_labels(of, task, about, costs=costs)
    if isinstance(task, Generate):
        return _score_texts(y, answers, task, about)
    return _score_values(y, answers.reshape(-1).astype(np.float64), task, about, widths=widths or {})


@dataclass(frozen=True)
class _About:
    """What the answers are about, and how much is to be found out."""

    rows: pl.DataFrame | None
    inputs: tuple[Column, ...]
    seed: int
    detail: bool

    def cells(self, position: int) -> dict[str, object]:
        """Return the input cells of one row, and its number in the source where it is known."""
        if self.rows is None:
            return {}
        names = [name for name in (ROW, *(column.name for column in self.inputs)) if name in self.rows.columns]
        return dict(self.rows.select(names).row(position, named=True))

    def slices(self, loss: np.ndarray, *, classify: bool) -> tuple[Slice, ...]:
        """Return the worst parts of the rows."""
        return () if self.rows is None else find_slices(self.rows, self.inputs, loss, classify=classify)


def _score_texts(y: np.ndarray, answers: np.ndarray, task: Generate, about: _About) -> Scores:
    """Return the figures of texts, with intervals from resampled rows."""
    names = metric_names(task)
    metrics = {name: float(score(name, y, answers, task)[0]) for name in names}
    return Scores(task.kind, len(y), metrics, intervals(names, y, answers, task, seed=about.seed))


def _check(y: np.ndarray, answers: np.ndarray, task: Task) -> None:
    wide = not isinstance(task, Regress)
    shape = (len(y), task.width) if wide else (len(y),)
    got = answers.shape if wide or answers.ndim != 2 else answers.shape[:1]
    if len(y) == 0:
        raise HeadwayError("there is nothing to evaluate", expected="at least one row", got="none")
    if got != shape:
        raise HeadwayError("the answers do not fit the rows", expected=f"an array {shape}", got=str(answers.shape))
    if not np.isfinite(answers).all():
        wrong = int((~np.isfinite(answers)).reshape(len(y), -1).any(axis=1).sum())
        raise HeadwayError(
            "some answers are not finite numbers", expected="finite numbers", got=f"{wrong} rows without"
        )


def _score_labels(of: Answered, task: Classify, about: _About, *, costs: Costs | None) -> Scores:
    y, decided = of.y, of.decided
    metrics = _figures(of.y, of.probabilities, task, decided=decided, positive=of.positive)
    if costs is not None:
        metrics["mean_cost"] = float(np.asarray(costs)[y, decided].mean())
    if not about.detail:
        return Scores(task.kind, len(y), metrics)
    headline = [name for name in HEADLINE if name in metrics]
    found = intervals(headline, y, of.probabilities, task, seed=about.seed, decided=decided, positive=of.positive)
    found |= _curve_intervals(of, task, [name for name in CURVES if name in metrics], about.seed)
    if costs is not None:
        found |= _mean_interval("mean_cost", np.asarray(costs)[y, decided], about.seed)
    return Scores(
        task=task.kind,
        rows=len(y),
        metrics=metrics,
        intervals=found,
        per_class=_per_class(of, task),
        confusion=np.bincount(y * task.width + decided, minlength=task.width**2).reshape(task.width, task.width),
        calibration=calibration_bins(of),
        slices=about.slices((~of.hit).astype(np.float64), classify=True),
        mistakes=_confident_mistakes(of, task, about),
    )


def _curve_intervals(of: Answered, task: Classify, names: Sequence[str], seed: int) -> dict[str, tuple[float, float]]:
    """Return the intervals of metrics that need a curve, of many labels one each: from fewer resamples, or none."""
    resamples, cells = RESAMPLES, len(of.y) * task.width
    if task.width > 2:
        resamples = int(np.clip(CURVE_CELLS // cells, FEWEST_RESAMPLES, RESAMPLES))
        names = names if cells * resamples <= 4 * CURVE_CELLS else ()
    return intervals(
        names, of.y, of.probabilities, task, seed=seed, decided=of.decided, positive=of.positive, resamples=resamples
    )


def _score_values(
    y: np.ndarray, values: np.ndarray, task: Task, about: _About, *, widths: Mapping[float, float]
) -> Scores:
    errors = np.abs(y.astype(np.float64) - values)
    metrics = _figures(y, values, task)
    for level, width in widths.items():
        metrics[f"coverage_{100 * level:.3g}"] = float(np.mean(errors <= width))
        metrics[f"width_{100 * level:.3g}"] = float(width)
    if not about.detail:
        return Scores(task.kind, len(y), metrics)
    found = intervals([name for name in HEADLINE if name in metrics], y, values, task, seed=about.seed)
    for level, width in widths.items():
        found |= _mean_interval(f"coverage_{100 * level:.3g}", errors <= width, about.seed)
    return Scores(
        task=task.kind,
        rows=len(y),
        metrics=metrics,
        intervals=found,
        slices=about.slices(errors, classify=False),
        mistakes=tuple(
            Mistake(int(i), about.cells(int(i)), float(y[i]), float(values[i]), None)
            for i in np.argsort(-errors, kind="stable")[:MISTAKES]
            if errors[i] > 0
        ),
    )


def _figures(
    y: np.ndarray, answers: np.ndarray, task: Task, *, decided: np.ndarray | None = None, positive: int | None = None
) -> dict[str, float]:
    """Return every metric that is defined on these rows."""
    figures = {
        name: float(score(name, y, answers, task, decided=decided, positive=positive)[0]) for name in metric_names(task)
    }
    return {name: value for name, value in figures.items() if not np.isnan(value)}


def _mean_interval(name: str, values: np.ndarray, seed: int) -> dict[str, tuple[float, float]]:
    """Return the bootstrap interval of a plain mean."""
    drawn = [
        values.astype(np.float64) @ weights for weights in draw_weights(len(values), resamples=RESAMPLES, seed=seed)
    ]
    interval = percentile_interval(np.concatenate(drawn) / len(values))
    return {} if interval is None else {name: interval}


def _per_class(of: Answered, task: Classify) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support of each label; 0 where there is nothing to divide by."""
    hits, true, answered = (each[:, 0] for each in tally(of))
    return {
        str(label): {
            "precision": float(hits[i] / max(answered[i], 1)),
            "recall": float(hits[i] / max(true[i], 1)),
            "f1": float(2 * hits[i] / max(true[i] + answered[i], 1)),
            "support": float(true[i]),
        }
        for i, label in enumerate(task.labels)
    }


def _confident_mistakes(of: Answered, task: Classify, about: _About) -> tuple[Mistake, ...]:
    """Return the wrong answers the model was surest of."""
    wrong = np.flatnonzero(~of.hit)
    worst = wrong[np.argsort(-of.confidence[wrong], kind="stable")][:MISTAKES]
    return tuple(
        Mistake(int(i), about.cells(int(i)), task.labels[of.y[i]], task.labels[of.decided[i]], float(of.confidence[i]))
        for i in worst
    )
