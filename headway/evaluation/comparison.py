"""Tell whether two sets of answers to the same rows differ by more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from headway.errors import HeadwayError
from headway.evaluation.bootstrap import RESAMPLES, draw_weights, percentile_interval
from headway.evaluation.decisions import Costs
from headway.evaluation.metrics import greater_is_better, score
from headway.tasks import Classify, Task

SIGNIFICANCE = 0.05
_CHINESE_TESTS = {"paired bootstrap": "配对自助法", "McNemar mid-p": "McNemar 检验（mid-p）"}
_METRICS = {"classify": "accuracy", "regress": "rmse", "generate": "bits_per_character",
            "several": "mean_score"}  # fmt: skip
# What runs with costs are compared by.
MEAN_COST = "mean_cost"


@dataclass(frozen=True)
class Comparison:
    """How B compares with A on the same rows.

    `values` are A's and B's metric, `interval` the 95% bootstrap interval of B less A, `p_value` the chance of a
    difference at least this large if there were none. `only` counts the rows that only A, and only B, answered
    right (0 for regression).
    """

    metric: str
    names: tuple[str, str]
    rows: int
    values: tuple[float, float]
    interval: tuple[float, float]
    p_value: float
    test: str
    only: tuple[int, int]

    @property
    def difference(self) -> float:
        """Return B's metric less A's."""
        return self.values[1] - self.values[0]

    @property
    def better(self) -> str | None:
        """Return the name of the better one, None where chance explains the difference."""
        if self.p_value >= SIGNIFICANCE or self.difference == 0:
            return None
        return self.names[int((self.difference > 0) == greater_is_better(self.metric))]

    @property
    def verdict(self) -> str:
        """Return the whole finding in English words."""
        first, second = self.names
        words = f"No clear difference between {first} and {second}: chance alone would explain it"
        if self.better is not None:
            words = f"{self.better} is better than {self._other}, by more than chance explains"
        figures = f"{self.metric} {self._values} on {self.rows:,} rows; difference {self._difference}"
        return f"{words} ({figures}; {self._test})."

    def chinese_verdict(self, called: str) -> str:
        """Return the whole finding in Chinese words; `called` is the metric's name."""
        words = f"{self.names[0]} 与 {self.names[1]} 没有明显差别，偶然因素足以解释"
        if self.better is not None:
            words = f"{self.better} 优于 {self._other}，差距超出偶然范围"
        figures = f"{self.rows:,} 行上 {called} {self._values}，差值 {self._difference}"
        return f"{words}（{figures}；{_CHINESE_TESTS.get(self.test, self.test)}，{self._chance}）。"

    @property
    def _other(self) -> str:
        return self.names[0] if self.better == self.names[1] else self.names[1]

    @property
    def _values(self) -> str:
        return f"{self.values[0]:.4f} → {self.values[1]:.4f}"

    @property
    def _difference(self) -> str:
        return f"{self.difference:+.4f} [{self.interval[0]:+.4f}, {self.interval[1]:+.4f}]"

    @property
    def _test(self) -> str:
        return f"{self.test}, {self._chance}"

    @property
    def _chance(self) -> str:
        return f"p = {self.p_value:.3f}" if self.p_value >= 0.001 else "p < 0.001"


def compare(
    a_answers: np.ndarray,
    b_answers: np.ndarray,
    y: np.ndarray,
    task: Task,
    *,
    names: tuple[str, str] = ("A", "B"),
    metric: str | None = None,
    decided: tuple[np.ndarray, np.ndarray] | None = None,
    costs: Costs | None = None,
    positive: int | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare two sets of answers (`[n, labels]` or `[n]`) to the same `y` `[n]` by a paired test.

    `metric` is accuracy, RMSE for numbers, bits per character for texts, unless named; with `costs` (`costs[i][j]`: of
    answering j where i is true) it is `mean_cost`. `decided` holds the chosen classes of both where they are not
    the most probable ones. Accuracy is tested by McNemar's mid-p test (Fagerland, Lydersen and Laake 2013); any
    other metric by a paired bootstrap. Raises `HeadwayError` where the answers are not to the same rows.
    """
    if len(a_answers) != len(y) or len(b_answers) != len(y) or len(y) == 0:
        got = f"{len(a_answers)} and {len(b_answers)} answers to {len(y)} rows"
        raise HeadwayError("only answers to the same rows compare", expected="as many answers as rows", got=got)
    metric = metric or (_METRICS[task.kind] if costs is None else MEAN_COST)
    a_decided, b_decided = decided or _decide(a_answers, b_answers, task)
    a_values, b_values = (
        _resample(metric, y, answers, task, decided=chosen, costs=costs, positive=positive, seed=seed)
        for answers, chosen in ((a_answers, a_decided), (b_answers, b_decided))
    )
    values = float(a_values[0]), float(b_values[0])
    differences = b_values[1:] - a_values[1:]
    interval = percentile_interval(differences)
    if np.isnan(values).any() or interval is None:
        raise HeadwayError(f"{metric} is undefined on these rows", expected="rows of at least two classes", got="one")
    only_a, only_b = _count_single(y, a_decided, b_decided)
    if metric == "accuracy":
        test, p_value = "McNemar mid-p", mcnemar(only_a, only_b)
    else:
        test, p_value = "paired bootstrap", _bootstrap_p(differences, values[1] - values[0])
    return Comparison(
        metric=metric,
        names=names,
        rows=len(y),
        values=values,
        interval=interval,
        p_value=p_value,
        test=test,
        only=(only_a, only_b),
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided mid-p value of McNemar's test; 1 where the two never differ."""
    from scipy.stats import binom

    rows, fewer = only_a + only_b, min(only_a, only_b)
    if rows == 0 or only_a == only_b:
        return 1.0
    return float(min(1.0, 2 * binom.cdf(fewer, rows, 0.5) - binom.pmf(fewer, rows, 0.5)))


def _resample(
    metric: str,
    y: np.ndarray,
    answers: np.ndarray,
    task: Task,
    *,
    decided: np.ndarray | None,
    costs: Costs | None,
    positive: int | None,
    seed: int,
) -> np.ndarray:
    """Return the metric itself, then its value in every resample; the same seed draws the same rows for all."""
    weighted = chain([np.ones((len(y), 1))], draw_weights(len(y), resamples=RESAMPLES, seed=seed))
    if metric == MEAN_COST and costs is not None and decided is not None:
        each_row = np.asarray(costs, dtype=np.float64)[y, decided]
        return np.concatenate([each_row @ each / each.sum(axis=0) for each in weighted])
    return np.concatenate(
        [score(metric, y, answers, task, weights=each, decided=decided, positive=positive) for each in weighted]
    )


def _decide(a_answers: np.ndarray, b_answers: np.ndarray, task: Task) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the most probable classes of both; None for numbers."""
    if not isinstance(task, Classify):
        return None, None
    return a_answers.argmax(axis=1), b_answers.argmax(axis=1)


def _count_single(y: np.ndarray, a_decided: np.ndarray | None, b_decided: np.ndarray | None) -> tuple[int, int]:
    """Return how many rows only A, and only B, answered right."""
    if a_decided is None or b_decided is None:
        return 0, 0
    a_hit, b_hit = a_decided == y, b_decided == y
    return int((a_hit & ~b_hit).sum()), int((b_hit & ~a_hit).sum())


def _bootstrap_p(differences: np.ndarray, difference: float) -> float:
    """Return the two-sided p-value of no difference, from resampled differences; never exactly 0."""
    defined = differences[~np.isnan(differences)]
    if difference == 0 or not defined.any():
        return 1.0
    if len(defined) < RESAMPLES / 2:
        from scipy.stats import norm

        return float(2 * norm.sf(abs(difference) / defined.std(ddof=1)))
    tail = min(np.sum(defined <= 0), np.sum(defined >= 0))
    return float(min(1.0, 2 * (tail + 1) / (len(defined) + 1)))
