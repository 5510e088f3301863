"""A/B tests looked at every day: false alarms of 1,000 null experiments, and how soon a true lift is found.

The peer is what many do: a fixed-horizon two-sample t-test (scipy) that is looked at every day, stopping at p < .05.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.shared import print_table
from headway.evaluation.bootstrap import wilson_interval
from headway.serving.experiments.judging import DAY, Units, judge
from headway.serving.experiments.plan import Arm, Experiment

_EXPERIMENTS = 1_000
_DAYS = 30
_A_DAY = 100  # users of each arm
_PLAN = Experiment("bench", "model", (Arm("control", "a"), Arm("new", "b")))
Draw = Callable[[np.random.Generator, int, float], np.ndarray]


@dataclass(frozen=True)
class Setting:
    """One kind of outcome: how to draw values with a given lift, and the lift that the power is measured at."""

    name: str
    draw: Draw
    lift: float


def _right(share: float) -> Draw:
    return lambda random, rows, lift: (random.random(rows) < share + lift).astype(np.float64)


def _spent(random: np.random.Generator, rows: int, lift: float) -> np.ndarray:
    """Return what users spend: half of them nothing, the others log-normal with a long tail; mean 0.82."""
    return (random.random(rows) < 0.5) * random.lognormal(0.0, 1.0, rows) * (1 + lift)


_SETTINGS = (
    Setting("accuracy .90, lift 4 points", _right(0.90), 0.04),
    Setting("accuracy .70, lift 5 points", _right(0.70), 0.05),
    Setting("accuracy .99, lift .8 points", _right(0.99), 0.008),
    Setting("money, long tail, lift 15%", _spent, 0.15),
)


def main() -> str:
    """Return both tables."""
    rows = [_line(setting) for setting in _SETTINGS]
    title = f"{_EXPERIMENTS:,} experiments, {_DAYS} days, {_A_DAY} users a day and arm, looked at every day"
    header = (
        "outcome",
        "false alarms: Headway",
        "false alarms: t-test looked at daily",
        "true lift found by the last day: Headway",
        "one t-test on the last day",
        "Headway's median day",
    )
    return print_table(title, header, rows) + _returning()


def _line(setting: Setting) -> tuple[str, ...]:
    ours, theirs, _, _ = _run(setting, lift=0.0, seed=1)
    found, _, last, day = _run(setting, lift=setting.lift, seed=2)
    return (
        setting.name,
        _share(ours),
        _share(theirs),
        f"{found:.1%}",
        f"{last:.1%}",
        f"{day:.0f}" if np.isfinite(day) else "later",
    )


def _share(share: float) -> str:
    low, high = wilson_interval(round(share * _EXPERIMENTS), _EXPERIMENTS)
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def _run(setting: Setting, *, lift: float, seed: int) -> tuple[float, float, float, float]:
    """Return how often Headway, a t-test on any day, and one on the last day call a difference, and the median day."""
    random = np.random.default_rng(seed)
    ours, any_day, last_day = 0, 0, 0
    days = []
    for _ in range(_EXPERIMENTS):
        a, b = (setting.draw(random, _DAYS * _A_DAY, by) for by in (0.0, lift))
        decided = _decide(a, b)
        ours += decided is not None
        days.append(np.inf if decided is None else decided)
        p_values = _t_test_daily(a, b)
        any_day += bool((p_values < 0.05).any())
        last_day += bool(p_values[-1] < 0.05)
    return ours / _EXPERIMENTS, any_day / _EXPERIMENTS, last_day / _EXPERIMENTS, float(np.median(days))


def _decide(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the day on which `headway experiment report`, asked every day, first calls a difference."""
    at = (np.tile(np.arange(len(a)), 2) + 0.5) / _A_DAY * DAY
    units = Units(at, np.repeat([0, 1], len(a)), np.concatenate([a, b]), np.full(2 * len(a), np.nan))
    decided = judge(_PLAN, units, now=_DAYS * DAY).arms[1].decided
    return None if decided is None else decided / DAY


def _t_test_daily(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the p-values of Welch's t-test over all data up to the end of each day."""
    from scipy.stats import ttest_ind_from_stats

    ends = np.arange(1, _DAYS + 1) * _A_DAY
    figures = []
    for values in (a, b):
        mean = np.cumsum(values)[ends - 1] / ends
        variance = (np.cumsum(values**2)[ends - 1] - ends * mean**2) / (ends - 1)
        figures += [mean, np.sqrt(np.maximum(variance, 1e-12)), ends]
    return np.asarray(ttest_ind_from_stats(*figures, equal_var=False).pvalue)


def _returning() -> str:
    """Measure users who come back and resemble themselves: counting each request is wrong however one tests."""
    random = np.random.default_rng(3)
    by_user, by_request, t_test = 0, 0, 0
    users, visits = 300, 10
    for _ in range(_EXPERIMENTS):
        own = random.beta(0.9, 0.3, (2, users))
        right = (random.random((2, users, visits)) < own[..., None]).astype(np.float64)
        by_user += _decide(*right.mean(axis=2)) is not None
        flat = right.transpose(0, 2, 1).reshape(2, -1)
        by_request += _decide(flat[0], flat[1]) is not None
        t_test += bool((_t_test_daily(flat[0], flat[1]) < 0.05).any())
    rows = [
        ("Headway: a user counts once", f"{by_user / _EXPERIMENTS:.1%}"),
        ("the same test, every request counts", f"{by_request / _EXPERIMENTS:.1%}"),
        ("t-test looked at daily, every request counts", f"{t_test / _EXPERIMENTS:.1%}"),
    ]
    return print_table("The same with 300 users an arm who come back ten times", ("how", "false alarms"), rows)
