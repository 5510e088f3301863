"""From probabilities to an answer: the most probable label, a wanted precision, or the least expected cost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headway.errors import HeadwayError
from headway.evaluation.bootstrap import wilson_interval
from headway.runtime.manifest import Label

Costs = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Threshold:
    """From which probability on `label` is answered, and what that gave on the rows it was chosen on.

    `precision` with its 95% Wilson interval, `recall`, and `answered`, the rows that were given the label. `reached`
    tells whether the wanted precision was; if not, this is the most precise threshold there is.
    """

    label: Label
    threshold: float
    wanted: float
    reached: bool
    precision: float
    interval: tuple[float, float]
    recall: float
    answered: int


def decide(
    probabilities: np.ndarray, *, threshold: tuple[int, float] | None = None, costs: Costs | None = None
) -> np.ndarray:
    """Return the chosen class of each row, int64 `[n]`, from `probabilities` `[n, labels]`.

    `threshold` (class, probability): that class is answered from that probability on, otherwise the best of the
    others. `costs[i][j]`: what answering j costs when i is true; the answer of least expected cost is chosen
    (Elkan 2001, equation 1).
    """
    if costs is not None:
        return np.asarray((probabilities @ np.asarray(costs, dtype=np.float64)).argmin(axis=1))
    if threshold is None:
        return np.asarray(probabilities.argmax(axis=1))
    label, least = threshold
    others = probabilities.copy()
    others[:, label] = -1.0
    return np.where(probabilities[:, label] >= least, label, others.argmax(axis=1))


def choose_threshold(
    y: np.ndarray, probabilities: np.ndarray, labels: Sequence[Label], *, precision: float, label: Label
) -> Threshold:
    """Return the threshold of `label` that finds the most rows at no less than the wanted `precision`.

    `y` int64 `[n]`, `probabilities` `[n, labels]`, from rows that the model has not learnt from. The threshold lies
    half way between the last accepted probability and the next lower one, so that rounding cannot move a row across.
    """
    chosen = _index(label, labels)
    order = np.argsort(-probabilities[:, chosen], kind="stable")
    ranking, hits = probabilities[order, chosen].astype(np.float64), np.cumsum(y[order] == chosen)
    last = np.flatnonzero(np.diff(ranking, append=-1.0) != 0)
    precisions = hits[last] / (last + 1)
    good = np.flatnonzero(precisions >= precision)
    # Of equally precise thresholds the later one finds more rows.
    best = int(good[-1]) if len(good) else int(np.flatnonzero(precisions == precisions.max())[-1])
    rows = int(last[best]) + 1
    lower = ranking[rows] if rows < len(ranking) else 0.0
    return Threshold(
        label=label,
        threshold=float((ranking[rows - 1] + lower) / 2),
        wanted=precision,
        reached=bool(len(good)),
        precision=float(precisions[best]),
        interval=wilson_interval(int(hits[rows - 1]), rows),
        recall=float(hits[rows - 1] / max(int(np.sum(y == chosen)), 1)),
        answered=rows,
    )


def read_costs(costs: Mapping[str, Mapping[str, float]], labels: Sequence[Label]) -> Costs:
    """Return the matrix `costs[actual][predicted]` of a project file; a mistake it does not mention costs 1.

    Raises `HeadwayError` for a label that does not occur, and for a cost that is negative or not a number.
    """
    matrix = 1.0 - np.eye(len(labels))
    for actual, row in costs.items():
        for predicted, cost in row.items():
            if not (np.isfinite(cost) and cost >= 0):
                where = f"decision.costs.{actual}.{predicted}"
                raise HeadwayError("a cost is not usable", where=where, expected="0 or more", got=str(cost))
            matrix[_index(actual, labels), _index(predicted, labels)] = cost
    return tuple(tuple(float(cost) for cost in row) for row in matrix)


def _index(label: Label, labels: Sequence[Label]) -> int:
    """Return the class of a label, which a project file may write as a string."""
    known = [str(each) for each in labels]
    # YAML writes true and false; Python's own spelling is True and False.
    spelled = [str(label), str(label).capitalize()]
    for name in spelled:
        if name in known:
            return known.index(name)
    near = difflib.get_close_matches(str(label), known, n=1)
    fix = f"did you mean {near[0]}?" if near else ""
    some = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    raise HeadwayError("no such label", where="decision", expected=f"one of {some}", got=str(label), fix=fix)
