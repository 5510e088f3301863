"""Tell whether a window of rows differs from the reference by more than chance, at a stated false-alarm rate.

Both are samples of counts over the same cells. If nothing has changed, which rows are the window's and which the
reference's is arbitrary: given the sum of both, the window's counts follow the multivariate hypergeometric
distribution (Freeman and Halton, Biometrika 38, 1951). Drawing from it gives the permutation distribution of the
statistic without any raw row. The p-values of all views are corrected together (Holm 1979), so that the false-alarm
rate holds for the window as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.evaluation.drift.reference import Reference, View

# A window of fewer rows says too little.
FEWEST_ROWS = 30
# With very many rows every difference is certain; less than this share of rows in other cells is not worth an alarm.
LEAST_DISTANCE = 0.05
_MOST_DRAWS = 100_000
_CELLS_A_BLOCK = 2_000_000


@dataclass(frozen=True)
class Shift:
    """How one view has changed.

    `p_value` is corrected for all views of the window; `distance` is the share of rows that would have to change cells
    (total variation, 0 to 1); `cell` is the one whose share changed most, from `before` to `now`. `column` and `target`
    are those of the view.
    """

    column: str
    aspect: str
    rows: int
    p_value: float
    distance: float
    cell: str
    before: float
    now: float
    target: str = ""


@dataclass(frozen=True)
class Drift:
    """All views of one window, the surest change first; `false_alarms` is the stated rate per window."""

    rows: int
    false_alarms: float
    shifts: tuple[Shift, ...]

    @property
    def alarms(self) -> tuple[Shift, ...]:
        """Return the changes that are both certain and large enough."""
        return tuple(
            shift for shift in self.shifts if shift.p_value < self.false_alarms and shift.distance >= LEAST_DISTANCE
        )


def compare_counts(
    reference: Reference,
    counts: Mapping[tuple[str, str], np.ndarray],
    *,
    false_alarms: float = 0.01,
    seed: int = 0,
) -> Drift:
    """Compare a window's counts with the reference.

    If nothing has changed, at most `false_alarms` of the windows have a view that alarms. Views with fewer than 30 rows
    on either side are left out.
    """
    views = [
        (view, counts[view.key])
        for view in reference.views
        if view.key in counts and min(sum(view.counts), int(counts[view.key].sum())) >= FEWEST_ROWS
    ]
    random = np.random.default_rng(seed)
    level = false_alarms / max(1, len(views))
    raw = [_p_value(np.array(view.counts), now, level, random) for view, now in views]
    shifts = [_shift(view, now, p) for (view, now), p in zip(views, _holm(raw), strict=True)]
    rows = max((int(now.sum()) for _, now in views), default=0)
    return Drift(rows, false_alarms, tuple(sorted(shifts, key=lambda each: (each.p_value, -each.distance))))


def _p_value(before: np.ndarray, now: np.ndarray, level: float, random: np.random.Generator) -> float:
    """Return the permutation p-value; a view that is nowhere near `level` is not simulated but approximated."""
    pooled = before + now
    filled = pooled > 0
    before, now, pooled = before[filled], now[filled], pooled[filled]
    if len(pooled) < 2:
        return 1.0
    expected = pooled * (now.sum() / pooled.sum())
    statistic = float(((now - expected) ** 2 / expected).sum())
    scale = before.sum() / pooled.sum()  # chi squared of both rows of the table at once
    rough = _chi_squared_tail(statistic / scale, len(pooled) - 1)
    if rough > max(0.02, 5 * level):
        return rough
    draws = min(_MOST_DRAWS, math.ceil(5 / level))
    as_large = 0
    block = max(1, _CELLS_A_BLOCK // len(pooled))
    for start in range(0, draws, block):
        drawn = random.multivariate_hypergeometric(
            pooled, int(now.sum()), size=min(block, draws - start), method="marginals"
        )
        as_large += int((((drawn - expected) ** 2 / expected).sum(axis=1) >= statistic * (1 - 1e-12)).sum())
    return (as_large + 1) / (draws + 1)


def _chi_squared_tail(value: float, freedom: int) -> float:
    """Return about P(chi squared >= value) by the cube root of Wilson and Hilferty (1931)."""
    spread = 2 / (9 * freedom)
    return 0.5 * math.erfc(((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(2 * spread))


def _holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected for being several (Holm 1979)."""
    order = np.argsort(p_values)
    corrected = np.ones(len(p_values))
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return corrected.tolist()


def _shift(view: View, now: np.ndarray, p_value: float) -> Shift:
    before, after = np.array(view.counts) / sum(view.counts), now / now.sum()
    change = np.abs(after - before)
    cell = int(change.argmax())
    return Shift(
        view.column,
        view.aspect,
        int(now.sum()),
        float(p_value),
        float(change.sum() / 2),
        view.cells[cell] if cell < len(view.cells) else "missing",
        float(before[cell]),
        float(after[cell]),
        view.target,
    )
