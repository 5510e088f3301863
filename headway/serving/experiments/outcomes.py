"""What counts in an experiment: one value for each user, or for each request that names no user."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from headway.errors import ExperimentError
from headway.serving.experiments.judging import Units
from headway.serving.experiments.plan import Experiment
from headway.serving.store.opening import Store
from headway.serving.store.reading import Answered, read_answered


@dataclass(frozen=True)
class Outcomes:
    """The units that count, and how many users wait until their time window is over."""

    units: Units
    waiting: int


@dataclass
class _Gathered:
    """One user of one arm while the rows are read: `first` request, and the outcomes inside the window."""

    first: float
    values: list[float] = field(default_factory=list)
    bases: list[float] = field(default_factory=list)


def read_outcomes(store: Store, experiment: Experiment, *, now: float) -> Outcomes:
    """Return what came of an experiment until `now`; raises `ExperimentError` for an error of what is no number."""
    rows = read_answered(
        store,
        experiment=experiment.name,
        since=experiment.started,
        until=min(now, experiment.stopped or now),
        with_feedback=True,
        with_inputs=False,
    )
    return gather(experiment, rows, now=now)


def gather(experiment: Experiment, rows: Iterable[Answered], *, now: float) -> Outcomes:
    """Return one unit per user: the mean outcome over the window after the user's first request with feedback.

    A user counts when the window is over, so that no later answer changes a unit that was looked at; that keeps the
    sequential test valid. Requests without a user count at once, each by itself, since each drew its own arm. What a
    user got from a second arm, after the first one was ended, does not count. A shadow is compared where the control
    was shown.
    """
    numbers = {arm.name: number for number, arm in enumerate(experiment.arms)}
    shadow = next((number for number, arm in enumerate(experiment.arms) if arm.shadow), None)
    shown: dict[tuple[str, int], float] = {}
    users: dict[tuple[int, str], _Gathered] = {}
    first_arm: dict[str, str] = {}
    for row in sorted(rows, key=lambda each: (each.at, each.shadow)):
        number = shadow if row.shadow else numbers.get(row.arm)
        name = row.subject or f"\0{row.request_id}"
        if number is None or first_arm.setdefault(name, row.arm) != row.arm:
            continue
        if row.shadow and row.arm != experiment.control.name:
            continue
        value = _value(experiment, row)
        if value is None:
            continue
        if not row.shadow:
            shown[row.request_id, row.row] = value
        unit = users.setdefault((number, name), _Gathered(row.at))
        if row.at - unit.first <= experiment.window:
            unit.values.append(value)
            unit.bases.append(shown.get((row.request_id, row.row), math.nan) if row.shadow else math.nan)
    return _count(experiment, users, now)


def _value(experiment: Experiment, row: Answered) -> float | None:
    """Return the outcome of a row; None where the feedback on it says nothing of this outcome."""
    if experiment.outcome == "value":
        return row.value
    if row.truth is None:
        return None
    if experiment.outcome == "accuracy":
        return float(row.right)
    if row.error is not None:
        return -row.error
    raise ExperimentError(
        "the outcome of this experiment is the error of numbers, and some answer or truth is none",
        where=f"request {row.request_id}, row {row.row}",
        expected="two numbers",
        got=f"{row.prediction!r} and {row.truth!r}"[:80],
        fix="start an experiment with --outcome accuracy",
    )


def _count(experiment: Experiment, users: dict[tuple[int, str], _Gathered], now: float) -> Outcomes:
    """Return those whose window is over, in the order in which it ended."""
    counted, waiting = [], 0
    for (number, name), unit in users.items():
        closed = unit.first if name.startswith("\0") else unit.first + experiment.window
        if experiment.stopped is not None:
            closed = min(closed, now)
        if closed <= now:
            base = [each for each in unit.bases if not math.isnan(each)]
            counted.append((closed, number, float(np.mean(unit.values)), float(np.mean(base)) if base else math.nan))
        else:
            waiting += 1
    table = np.array(sorted(counted), dtype=np.float64).reshape(-1, 4)
    return Outcomes(Units(table[:, 0], table[:, 1].astype(np.int64), table[:, 2], table[:, 3]), waiting)
