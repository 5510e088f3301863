"""How sure a figure is: resampling the evaluated rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from headway.evaluation.metrics import score
from headway.tasks import Task

RESAMPLES = 1000
LEVEL = 0.95
# How many standard deviations hold the middle 95% of a normal distribution.
NORMAL = 1.959964
# Resamples are drawn in blocks of at most this many weights (float32), so that a block stays in the cache.
BLOCK = 1_000_000
# No more rows than this are drawn in all: with very many rows, few resamples show the spread.
DRAWS = 20_000_000
FEWEST_RESAMPLES = 40


def intervals(
    names: Sequence[str],
    y: np.ndarray,
    answers: np.ndarray,
    task: Task,
    *,
    seed: int,
    decided: np.ndarray | None = None,
    positive: int | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, tuple[float, float]]:
    """Return the 95% percentile interval of each metric (Efron and Tibshirani 1993, chapter 13).

    Resamples in which a metric is undefined (a single class) are left out of it; a metric undefined in most of them
    gets no interval. An accuracy with fewer than ten mistakes or ten hits gets Wilson's interval instead, because
    resampling no mistakes gives none and would claim certainty.
    """
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for weights in draw_weights(len(y), resamples=resamples, seed=seed):
        for name in names:
            values = score(name, y, answers, task, weights=weights, decided=decided, positive=positive)
            drawn[name].append(values)
    found = {name: percentile_interval(np.concatenate(values)) for name, values in drawn.items() if values}
    if "accuracy" in found:
        hits = int(np.sum((answers.argmax(axis=1) if decided is None else decided) == y))
        if min(hits, len(y) - hits) < 10:
            found["accuracy"] = wilson_interval(hits, len(y))
    return {name: interval for name, interval in found.items() if interval is not None}


def draw_weights(rows: int, *, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of resamples, float32 `[rows, block]`: how often each row is drawn.

    There are `resamples` columns in all, fewer where the rows are very many.
    """
    rng = np.random.default_rng(seed)
    left = 0 if rows == 0 else min(resamples, max(FEWEST_RESAMPLES, DRAWS // rows))
    while left > 0:
        size = max(1, min(left, BLOCK // rows))
        cells = rng.integers(rows, size=(rows, size), dtype=np.int64) * size + np.arange(size)
        yield np.bincount(cells.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float32)
        left -= size


def percentile_interval(values: np.ndarray) -> tuple[float, float] | None:
    """Return the middle 95% of the defined values, or None where fewer than half are defined.

    Fewer than 500 values, drawn where rows are very many, have too rough a tail: the normal interval is taken instead.
    """
    defined = values[~np.isnan(values)]
    if len(defined) * 2 <= len(values):
        return None
    if len(values) < 500:
        half = NORMAL * float(defined.std(ddof=1)) if len(defined) > 1 else 0.0
        return float(defined.mean()) - half, float(defined.mean()) + half
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def wilson_interval(hits: int, rows: int) -> tuple[float, float]:
    """Return the 95% interval of a share of `hits` in `rows` (Wilson 1927)."""
    if rows == 0:
        return 0.0, 1.0
    z, share = NORMAL, hits / rows
    shrink = 1 + z * z / rows
    middle = share + z * z / (2 * rows)
    half = z * float(np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)))
    return max(0.0, (middle - half) / shrink), min(1.0, (middle + half) / shrink)
