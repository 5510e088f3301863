"""What an experiment has found so far, judged by a test that may be looked at every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headway.evaluation.sequential import Finding, Sums, compare_means, compare_pairs, running_p, share_evidence
from headway.serving.experiments.plan import Experiment

DAY = 86_400.0
_MOST_LOOKS = 400


@dataclass(frozen=True)
class Units:
    """What counts in an experiment, one entry a user (or request without a user), in the order it was counted.

    `at`: float64 `[n]`, when it counted (seconds since 1970); `arm`: int64 `[n]`, position in the experiment's arms;
    `value`: float64 `[n]`, its mean outcome. `base`: float64 `[n]`, for a shadow's unit the control's outcome on the
    same requests, else NaN.
    """

    at: np.ndarray
    arm: np.ndarray
    value: np.ndarray
    base: np.ndarray


@dataclass(frozen=True)
class ArmResult:
    """One arm beside the control (whose own `finding` is None): units, mean outcome, and the difference.

    `finding` is as of now, `p_value` the smallest so far, `decided`: when it first fell below alpha (None: not yet).
    `path`: the looks, `[k]` (time, difference, low, high).
    """

    name: str
    units: int
    mean: float
    finding: Finding | None = None
    p_value: float = 1.0
    decided: float | None = None
    path: tuple[tuple[float, float, float, float], ...] = ()
    ended: str = ""


@dataclass(frozen=True)
class Judgement:
    """All arms of an experiment, and the p-value of its users having been divided as asked."""

    arms: tuple[ArmResult, ...]
    share_p: float
    alpha: float

    @property
    def better(self) -> str | None:
        """Return the best arm that differs from the control by more than chance explains; the control where all lose.

        None while it is undecided.
        """
        decided = [arm for arm in self.arms[1:] if arm.decided is not None and arm.finding is not None]
        winners = [arm for arm in decided if arm.finding and arm.finding.difference > 0]
        if winners:
            return max(winners, key=lambda arm: arm.finding.difference if arm.finding else 0.0).name
        return self.arms[0].name if len(decided) == len(self.arms) - 1 else None


def judge(experiment: Experiment, units: Units, *, now: float, every: float = DAY) -> Judgement:
    """Judge every arm against the control at looks `every` so many seconds and now.

    The false-alarm rate alpha is divided over the arms (Bonferroni), so that it holds for the whole experiment.
    """
    alpha = experiment.alpha / max(1, len(experiment.arms) - 1)
    binary = bool(np.isin(units.value, (0.0, 1.0)).all())
    looks = _looks(experiment, now, every)
    results = []
    for number, arm in enumerate(experiment.arms):
        mine = units.arm == number
        count, mean = int(mine.sum()), float(units.value[mine].mean()) if mine.any() else float("nan")
        result = ArmResult(arm.name, count, mean, ended=experiment.ended_arms.get(arm.name, ""))
        if number:
            findings = _follow(experiment, units, number, looks, alpha=alpha, binary=binary)
            result = _conclude(result, looks, findings, alpha)
        results.append(result)
    return Judgement(tuple(results), _share_p(experiment, units), alpha)


def _looks(experiment: Experiment, now: float, every: float) -> np.ndarray:
    """Return the times of the looks: a fixed grid from the start, and now."""
    count = int(max(0.0, now - experiment.started) // every)
    step = every * max(1, -(-count // _MOST_LOOKS))
    return np.append(np.arange(experiment.started + step, now, step), now)


def _follow(
    experiment: Experiment, units: Units, number: int, looks: np.ndarray, *, alpha: float, binary: bool
) -> list[Finding]:
    """Return the finding at every look."""
    mine = units.arm == number
    if experiment.arms[number].shadow:
        pairs = mine & np.isfinite(units.base)
        differences = units.value[pairs] - units.base[pairs]
        sums = _sums(units.at[pairs], differences, looks)
        differing = np.searchsorted(units.at[pairs][differences != 0], looks, side="right")
        return [
            compare_pairs(each, int(count), alpha=alpha, effect=experiment.effect)
            for each, count in zip(sums, differing, strict=True)
        ]
    control = units.arm == 0
    both = zip(
        _sums(units.at[control], units.value[control], looks),
        _sums(units.at[mine], units.value[mine], looks),
        strict=True,
    )
    return [compare_means(a, b, alpha=alpha, effect=experiment.effect, binary=binary) for a, b in both]


def _sums(at: np.ndarray, values: np.ndarray, looks: np.ndarray) -> list[Sums]:
    """Return the sums up to every look."""
    ends = np.searchsorted(at, looks, side="right")
    total, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (values, values**2))
    return [Sums(int(end), float(total[end]), float(squares[end])) for end in ends]


def _conclude(result: ArmResult, looks: np.ndarray, findings: Sequence[Finding], alpha: float) -> ArmResult:
    """Return the arm's result with what its looks have shown."""
    smallest = running_p(findings)
    first = next((number for number, p in enumerate(smallest) if p < alpha), None)
    path = [
        (float(at), finding.difference, *finding.interval)
        for at, finding in zip(looks, findings, strict=True)
        if np.isfinite(finding.interval[0])
    ]
    return ArmResult(
        result.name,
        result.units,
        result.mean,
        finding=findings[-1],
        p_value=smallest[-1],
        decided=None if first is None else float(looks[first]),
        path=tuple(path),
        ended=result.ended,
    )


def _share_p(experiment: Experiment, units: Units) -> float:
    """Return the p-value of the live arms having got their shares; 1 where an arm was ended, which changes them."""
    live = [number for number, arm in enumerate(experiment.arms) if not arm.shadow]
    if len(live) < 2 or experiment.ended_arms:
        return 1.0
    counts = [int((units.arm == number).sum()) for number in live]
    weights = [experiment.arms[number].weight for number in live]
    return min(1.0, 1 / share_evidence(counts, [weight / sum(weights) for weight in weights]))
