"""The release gate: what a smaller model may lose, proven on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headway.compression.subject import Subject
from headway.errors import GateError
from headway.evaluation.comparison import compare
from headway.evaluation.metrics import greater_is_better

# Metrics between 0 and 1: a drop is in points. For all others it is a share of the original's value.
POINTS = frozenset(
    {"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc", "average_precision", "r2", "brier"}
)


@dataclass(frozen=True)
class Change:
    """What a smaller model answers differently, in the metric of the run, on the rows that judge.

    `scores` are the original's and the smaller one's; `loss` is how much worse it is (negative where it is better)
    with its 95% interval from a paired bootstrap: in points (0.01 is one point), or as a share of the original's
    value where the metric has no upper bound. `decisions` is the share of rows that were decided otherwise (of
    values: 0).
    """

    metric: str
    rows: int
    scores: tuple[float, float]
    loss: float
    interval: tuple[float, float]
    decisions: float


def change_between(subject: Subject, original: np.ndarray, smaller: np.ndarray) -> Change:
    """Return what the answers `smaller` to the rows that judge cost, against those of the `original`."""
    decided = subject.decided(original), subject.decided(smaller)
    found = compare(
        original,
        smaller,
        subject.exam.y,
        subject.task,
        metric=subject.metric,
        decided=None if decided[0] is None or decided[1] is None else (decided[0], decided[1]),
        positive=subject.positive,
        seed=subject.seed,
    )
    unit = 1.0 if subject.metric in POINTS else max(abs(found.values[0]), 1e-12)
    sign = -1.0 if greater_is_better(subject.metric) else 1.0
    ends = sorted(sign * end / unit for end in found.interval)
    return Change(
        metric=subject.metric,
        rows=found.rows,
        scores=found.values,
        loss=sign * found.difference / unit,
        interval=(ends[0], ends[1]),
        decisions=0.0 if decided[0] is None else float(np.mean(decided[0] != decided[1])),
    )


def complaints(
    change: Change, *, drop: float, measured: Mapping[str, float | None], limits: Mapping[str, float]
) -> tuple[str, ...]:
    """Return why a smaller model may not ship, each with its figures; empty where it may.

    `drop`: the most it may lose; the upper end of the interval counts, not the loss itself. `measured`: its figures by
    the names of the limits, None where not measured.
    """
    found = []
    if change.interval[1] > drop:
        found.append(
            f"it may lose up to {write_loss(change.interval[1])} of {change.metric}, {write_loss(drop)} are allowed "
            f"(measured {write_loss(change.loss)} on {change.rows:,} rows)"
        )
    for limit, ceiling in limits.items():
        value = measured.get(limit)
        if value is not None and value > ceiling:
            found.append(f"{limit} {value:.3g} > {ceiling:.3g}")
    return tuple(found)


def check_gate(name: str, reasons: Sequence[str], *, kept: str = "the original package, which is unchanged") -> None:
    """Raise `GateError` with the figures where there are reasons against shipping; `kept` says what ships instead."""
    if reasons:
        raise GateError(
            f"the compressed package ({name}) does not pass the release gate",
            expected="parity, the limits, and a loss inside the allowed drop with its interval",
            got="; ".join(reasons),
            fix=f"allow more with --drop, or keep {kept}",
        )


def write_loss(loss: float) -> str:
    """Return a loss as people say it."""
    # Added 0 turns a negative zero into a plain one.
    return f"{round(100 * loss, 2) + 0.0:.2f}%"
