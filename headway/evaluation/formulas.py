"""The formulas of the metrics, each weighted, so that a figure and its thousand resamples are the same code.

A resample is a column of weights: how often each row was drawn. A formula returns one value per column, NaN where it
is undefined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Probabilities below this are float32 rounding; the logarithm of a probability stops here.
FLOOR = float(np.finfo(np.float32).eps)
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Answered:
    """What a formula reads.

    `y` `[n]` int64; `probabilities` float64 `[n, labels]`; `decided` int64 `[n]`, the chosen classes; `weights`
    `[n, resamples]`; `positive`: the class that curves of a two-class task look for.
    """

    y: np.ndarray
    probabilities: np.ndarray
    decided: np.ndarray
    weights: np.ndarray
    positive: int

    @property
    def confidence(self) -> np.ndarray:
        """Return the probability of the chosen class, `[n]`."""
        chosen: np.ndarray = self.probabilities[np.arange(len(self.y)), self.decided]
        return chosen

    @property
    def hit(self) -> np.ndarray:
        """Return whether the chosen class is the true one, `[n]`."""
        return np.asarray(self.decided == self.y)


@dataclass(frozen=True)
class Estimated:
    """What a formula for numbers reads: `y` and `values` float64 `[n]`, `weights` `[n, resamples]`."""

    y: np.ndarray
    values: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Judged:
    """What a formula for texts reads.

    `characters`, `nats` and `tokens` float64 `[n]`: of each row's text its length, its negative log likelihood, and the
    tokens that this was taken over; `weights` `[n, resamples]`.
    """

    characters: np.ndarray
    nats: np.ndarray
    tokens: np.ndarray
    weights: np.ndarray


Formula = Callable[[Answered], np.ndarray]


def accuracy(of: Answered) -> np.ndarray:
    """Return the share of right answers."""
    return _mean(of.hit, of.weights)


def balanced_accuracy(of: Answered) -> np.ndarray:
    """Return the mean recall of the classes that occur."""
    hits, true, _ = tally(of)
    return _mean_over(_ratio(hits, true), true > 0)


def averaged(figure: str, average: str) -> Formula:
    """Return precision, recall or F1 averaged over the classes that occur, as scikit-learn does by default."""

    def formula(of: Answered) -> np.ndarray:
        hits, true, answered = tally(of)
        below = {"precision": answered, "recall": true, "f1": (true + answered) / 2}[figure]
        values = _ratio(hits, below)
        if average == "macro":
            return _mean_over(values, true + answered > 0)
        return np.asarray((values * true).sum(axis=0) / true.sum(axis=0))

    return formula


def log_loss(of: Answered) -> np.ndarray:
    """Return the mean negative log likelihood, in nats."""
    return _mean(row_losses(of.probabilities, of.y), of.weights)


def brier(of: Answered) -> np.ndarray:
    """Return the squared error of the probabilities (Brier 1950); for two classes halved, as is usual."""
    true = of.probabilities[np.arange(len(of.y)), of.y]
    squared = np.square(of.probabilities).sum(axis=1) + 1 - 2 * true
    return _mean(squared, of.weights) / (2 if of.probabilities.shape[1] == 2 else 1)


def calibration_error(of: Answered) -> np.ndarray:
    """Return the expected calibration error of the chosen class (Guo et al. 2017, equation 5)."""
    gaps = _sum_by(_bin(of.confidence), of.weights * (of.hit - of.confidence)[:, None], CALIBRATION_BINS)
    return np.asarray(np.abs(gaps).sum(axis=0) / of.weights.sum(axis=0, dtype=np.float64))


def calibration_bins(of: Answered) -> tuple[tuple[float, float, int], ...]:
    """Return mean confidence, accuracy and rows of each bin of equal width that has any."""
    bins = _bin(of.confidence)
    rows = np.bincount(bins, minlength=CALIBRATION_BINS)
    confidence = np.bincount(bins, of.confidence, CALIBRATION_BINS)
    hits = np.bincount(bins, of.hit, CALIBRATION_BINS)
    return tuple((float(confidence[i] / rows[i]), float(hits[i] / rows[i]), int(rows[i])) for i in np.flatnonzero(rows))


def bits_per_character(of: Judged) -> np.ndarray:
    """Return the negative log likelihood a character, in bits: the same measure whatever the tokens are."""
    return np.asarray(of.nats @ of.weights / (of.characters @ of.weights) / np.log(2))


def perplexity(of: Judged) -> np.ndarray:
    """Return the exponential of the mean negative log likelihood a token; compares models of the same tokens only."""
    return np.asarray(np.exp(of.nats @ of.weights / (of.tokens @ of.weights)))


def one_against_rest(curve: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Formula:
    """Return a ranking figure of the positive class, or its mean over the classes where there are more than two."""

    def formula(of: Answered) -> np.ndarray:
        labels = of.probabilities.shape[1]
        classes = [of.positive] if labels <= 2 else range(labels)
        values = np.stack([curve(of.y == label, of.probabilities[:, label], of.weights) for label in classes])
        defined = ~np.isnan(values)
        return _mean_over(np.where(defined, values, 0.0), defined)

    return formula


def roc_auc(truth: np.ndarray, ranking: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve as Mann-Whitney's statistic, ties counted half (Hanley and McNeil 1982)."""
    positives, negatives = _rank(truth, ranking, weights)
    below = np.cumsum(negatives, axis=0) - negatives / 2
    area = (positives * below).sum(axis=0, dtype=np.float64)
    pairs = positives.sum(axis=0, dtype=np.float64) * negatives.sum(axis=0, dtype=np.float64)
    return _ratio(area, pairs, otherwise=np.nan)


def average_precision(truth: np.ndarray, ranking: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the sum of precision over the steps of recall, not interpolated; NaN without a positive row."""
    positives, negatives = _rank(truth, -ranking, weights)
    found, wrong = np.cumsum(positives, axis=0), np.cumsum(negatives, axis=0)
    area = (positives * _ratio(found, found + wrong)).sum(axis=0, dtype=np.float64)
    total = positives.sum(axis=0, dtype=np.float64)
    return _ratio(area, total, otherwise=np.nan)


def mean_absolute_error(of: Estimated) -> np.ndarray:
    """Return the mean distance from the true value."""
    return _mean(np.abs(of.y - of.values), of.weights)


def root_mean_squared_error(of: Estimated) -> np.ndarray:
    """Return the root of the mean squared distance."""
    return np.asarray(np.sqrt(_mean(np.square(of.y - of.values), of.weights)))


def r2(of: Estimated) -> np.ndarray:
    """Return the share of variance explained; for a constant target 1 when exact, else 0, as scikit-learn has it."""
    # Centred first, so that float32 weights do not lose a small variance around a large mean.
    centred = of.y - of.y.mean()
    variance = _mean(np.square(centred), of.weights) - np.square(_mean(centred, of.weights))
    error = _mean(np.square(of.y - of.values), of.weights)
    constant = variance <= FLOOR * np.square(centred).max()
    return np.where(constant, (error == 0).astype(np.float64), 1 - error / np.where(constant, 1.0, variance))


def median_absolute_error(of: Estimated) -> np.ndarray:
    """Return the weighted median distance: the mean of the middle two where the half falls between them."""
    errors = np.abs(of.y - of.values)
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(of.weights[order], axis=0, dtype=np.float64)
    half = reached[-1] / 2
    low, high = (reached < half).sum(axis=0), (reached <= half).sum(axis=0)
    return np.asarray(errors[order][low] + errors[order][np.minimum(high, len(errors) - 1)]) / 2


def row_losses(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the log loss of each row, `[n]`, clipped as scikit-learn clips float32 probabilities."""
    total = np.maximum(probabilities.sum(axis=1), FLOOR)
    return np.asarray(-np.log(np.clip(probabilities[np.arange(len(y)), y], FLOOR, 1 - FLOOR) / total))


def tally(of: Answered) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weight of hits, of true rows and of answers per class, each `[labels, resamples]`."""
    labels = of.probabilities.shape[1]
    return (
        _sum_by(of.y[of.hit], of.weights[of.hit], labels),
        _sum_by(of.y, of.weights, labels),
        _sum_by(of.decided, of.weights, labels),
    )


def _bin(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence; bins are open below and closed above."""
    bins = np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1
    return np.asarray(np.clip(bins, 0, CALIBRATION_BINS - 1))


def _sum_by(key: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """Return the column sums of `weights` per value of `key` (0 to size - 1), `[size, resamples]`."""
    from scipy.sparse import csr_array

    ones = np.ones(len(key), dtype=weights.dtype)
    return np.asarray(csr_array((ones, (key, np.arange(len(key)))), shape=(size, len(key))) @ weights, dtype=np.float64)


def _rank(truth: np.ndarray, ranking: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of positive and of negative rows per distinct value of `ranking`, ascending."""
    order = np.argsort(ranking, kind="stable")
    starts = np.flatnonzero(np.diff(ranking[order], prepend=np.nan) != 0)
    ordered = weights[order]
    positives = ordered * truth[order, None]
    if len(starts) < len(order):
        ordered, positives = np.add.reduceat(ordered, starts, axis=0), np.add.reduceat(positives, starts, axis=0)
    return positives, ordered - positives


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of `values` `[n]` per column of weights."""
    # Scaled first: squares of large targets would leave the range of float32 weights.
    scale = float(np.abs(values).max()) or 1.0
    total = (values / scale).astype(weights.dtype) @ weights
    return np.asarray(scale * total.astype(np.float64) / weights.sum(axis=0, dtype=np.float64))


def _ratio(above: np.ndarray, below: np.ndarray, *, otherwise: float = 0.0) -> np.ndarray:
    """Divide, with `otherwise` where there is nothing to divide by."""
    return np.asarray(np.divide(above, below, out=np.full_like(above, otherwise), where=below > 0))


def _mean_over(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return the mean over the classes (axis 0) that are `used`; NaN where none is."""
    count = used.sum(axis=0)
    return np.where(count > 0, (values * used).sum(axis=0) / np.maximum(count, 1), np.nan)
