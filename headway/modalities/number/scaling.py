"""Bring numbers to one scale, as ONNX nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

_LARGEST = float(np.finfo(np.float32).max) / 8
# A column whose robustly scaled values reach further than this, or lean more, is looked at on a logarithmic scale.
_FAR = 6.0
_SKEWED = 1.0
# How high a step is: about as far as its column reaches in deviations, shared among a few steps.
_STEP = np.float32(0.5)


@dataclass(frozen=True)
class Scaling:
    """How each of `[k]` columns is filled, bounded, bent and standardised.

    A missing value becomes `fill`; values are cut to [`low`, `high`]; z = (x - `centre`) / `spread`; z becomes asinh(z)
    where `bent`; the result is (z - `mean`) / `deviation`. `flagged` are the columns with a missing indicator;
    `knots` are (column, position on the result's scale) of hinges max(0, u - position), `steps` those of steps, half
    above the position and 0 below it; `pairs` are columns whose products are added.
    """

    fill: np.ndarray
    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    bent: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    flagged: tuple[int, ...] = ()
    knots: tuple[tuple[int, float], ...] = ()
    steps: tuple[tuple[int, float], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()

    @property
    def width(self) -> int:
        """Return the number of columns that come out."""
        return len(self.fill) + len(self.flagged) + len(self.knots) + len(self.steps) + len(self.pairs)


def fit_scaling(numbers: np.ndarray) -> Scaling:
    """Learn a Scaling from `[n, k]` numbers, NaN where missing; infinite values count as very large ones.

    A column that is constant or entirely missing becomes 0 everywhere.
    """
    columns = [_fit_column(numbers[:, j].astype(np.float64)) for j in range(numbers.shape[1])]
    missing = np.isnan(numbers)
    flagged = tuple(int(j) for j in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)))
    fill, low, high, centre, spread, bent, mean, deviation = np.array(columns, np.float32).reshape(-1, 8).T
    return Scaling(fill, low, high, centre, spread, bent.astype(bool), mean, deviation, flagged)


def add_hinges(scaling: Scaling, numbers: np.ndarray, *, knots: int = 5) -> Scaling:
    """Return `scaling` with hinges, which let a linear model bend at quantiles of each column (a linear spline).

    A column with few different values bends at every one of them, so that each may have its own effect.
    """
    found: list[tuple[int, float]] = []
    scaled = scale(scaling, numbers)
    for j in range(numbers.shape[1]):
        present = scaled[~np.isnan(numbers[:, j]), j]
        found += [(j, float(position)) for position in _positions(present, knots)]
    return replace(scaling, knots=tuple(found))


def add_steps(scaling: Scaling, numbers: np.ndarray, *, steps: int = 7) -> Scaling:
    """Return `scaling` with steps at quantiles of each column, for effects that rise at once and then stay.

    A column with few different values gets one between every two of them.
    """
    found: list[tuple[int, float]] = []
    scaled = scale(scaling, numbers)
    for j in range(numbers.shape[1]):
        found += [(j, float(position)) for position in _gaps(scaled[~np.isnan(numbers[:, j]), j], steps)]
    return replace(scaling, steps=tuple(found))


def add_pairs(scaling: Scaling, *, limit: int = 100) -> Scaling:
    """Return `scaling` with the products of all pairs of columns that vary, when these are at most `limit`."""
    varies = [j for j in range(len(scaling.fill)) if scaling.high[j] > scaling.low[j]]
    pairs = tuple((a, b) for index, a in enumerate(varies) for b in varies[index:])
    return replace(scaling, pairs=pairs if len(pairs) <= limit else ())


def scale(scaling: Scaling, numbers: np.ndarray) -> np.ndarray:
    """Return the standardised columns alone, float64 `[n, k]`; for choosing knots, not for features."""
    x = np.clip(np.where(np.isnan(numbers), scaling.fill, numbers.astype(np.float64)), scaling.low, scaling.high)
    z = (x - scaling.centre) / scaling.spread
    z = np.where(scaling.bent, np.arcsinh(z), z)
    return np.asarray((z - scaling.mean) / scaling.deviation)


def scaling_nodes(scaling: Scaling, numbers: Var) -> Var:
    """Return the features, float32 `[rows, scaling.width]`, of float32 `[rows, k]` numbers."""
    missing = op.isnan(numbers)
    filled = op.where(missing, op.const(scaling.fill), numbers)
    bounded = op.max([op.min([filled, op.const(scaling.high)]), op.const(scaling.low)])
    z = op.div(op.sub(bounded, op.const(scaling.centre)), op.const(scaling.spread))
    if scaling.bent.any():
        z = op.where(op.const(scaling.bent), op.asinh(z), z)
    u = op.div(op.sub(z, op.const(scaling.mean)), op.const(scaling.deviation))
    parts = [u]
    if scaling.flagged:
        parts.append(op.cast(_pick(missing, scaling.flagged), to=np.float32))
    if scaling.knots:
        positions = np.array([position for _, position in scaling.knots], np.float32)
        parts.append(op.relu(op.sub(_pick(u, [j for j, _ in scaling.knots]), op.const(positions))))
    if scaling.steps:
        positions = np.array([position for _, position in scaling.steps], np.float32)
        above = op.greater(_pick(u, [j for j, _ in scaling.steps]), op.const(positions))
        parts.append(op.mul(op.cast(above, to=np.float32), op.const(_STEP)))
    if scaling.pairs:
        parts.append(op.mul(_pick(u, [a for a, _ in scaling.pairs]), _pick(u, [b for _, b in scaling.pairs])))
    return op.concat(parts, axis=1) if len(parts) > 1 else u


def _fit_column(values: np.ndarray) -> tuple[float, ...]:
    """Return the fields of Scaling for one column, in their order."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
    lowest, highest = (float(v) for v in (finite.min(), finite.max()))
    reach = highest - lowest
    low, high = max(lowest - reach, -_LARGEST), min(highest + reach, _LARGEST)
    present = np.clip(values[~np.isnan(values)], low, high)
    centre = float(np.median(present))
    spread = _spread(present)
    z = (present - centre) / spread
    bent = _is_far_out(z)
    z = np.arcsinh(z) if bent else z
    deviation = float(z.std())
    deviation = deviation if deviation > 1e-9 else 1.0
    return (centre, low, high, centre, spread, float(bent), float(z.mean()), deviation)


def _spread(values: np.ndarray) -> float:
    """Return a robust standard deviation, falling back to the plain one, and to 1 for a constant."""
    quarter, three_quarters = np.quantile(values, [0.25, 0.75])
    robust = float(three_quarters - quarter) / 1.349
    plain = float(values.std())
    tiny = 1e-6 * max(1e-30, float(np.abs(values).max()))
    if robust > tiny:
        return robust
    return plain if plain > tiny else 1.0


def _is_far_out(z: np.ndarray) -> bool:
    """Tell whether asinh makes `z` clearly more symmetric or reins in values that lie far out."""
    if len(np.unique(z[:1000])) <= 2 or (np.abs(z).max() <= _FAR and abs(_skew(z)) <= _SKEWED):
        return False
    return abs(_skew(np.arcsinh(z))) < abs(_skew(z)) or bool(np.abs(z).max() > 4 * _FAR)


def _skew(z: np.ndarray) -> float:
    deviation = z.std()
    scaled = (z - z.mean()) / deviation if deviation > 0 else np.zeros_like(z)
    return float((scaled**3).mean())


def _positions(values: np.ndarray, knots: int) -> np.ndarray:
    """Return where a column bends, between its smallest and largest value."""
    distinct = np.unique(values[:20_000])
    if len(distinct) <= 2:
        return np.zeros(0)
    if len(distinct) <= 2 * knots:
        return np.asarray(distinct[1:-1])
    found = np.unique(np.quantile(values, np.arange(1, knots + 1) / (knots + 1)))
    return np.asarray(found[(found > distinct[0]) & (found < distinct[-1])])


def _gaps(values: np.ndarray, steps: int) -> np.ndarray:
    """Return positions half way between neighbouring values, so that rounding never moves a row across one."""
    distinct = np.unique(values[:20_000])
    if len(distinct) <= 2:
        return np.zeros(0)
    middles = (distinct[1:] + distinct[:-1]) / 2
    if len(distinct) <= steps + 3:
        return np.asarray(middles)
    places = np.searchsorted(middles, np.quantile(values, np.arange(1, steps + 1) / (steps + 1)))
    return np.asarray(middles[np.unique(np.clip(places, 0, len(middles) - 1))])


def _pick(columns: Var, indices: list[int] | tuple[int, ...]) -> Var:
    return op.gather(columns, op.const(np.array(indices, np.int64)), axis=1)
