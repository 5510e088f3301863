"""Calendar parts of points in time, as ONNX nodes.

From days since 1970-01-01 to year, month and day: Howard Hinnant, "chrono-compatible low-level date algorithms",
`civil_from_days` (proleptic Gregorian calendar, any year).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

PARTS = ("elapsed", "year", "month", "day", "weekday", "hour", "yearday")
CYCLES = {"yearday": 365.2425, "weekday": 7.0, "hour": 24.0}
_DAY = 86_400.0
# 0001-01-01 and 9999-12-31 in seconds: what a calendar date can be; anything beyond is cut.
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0


@dataclass(frozen=True)
class Calendar:
    """Where elapsed days start counting for each of `[k]` date columns: `origin`, float64 seconds since 1970.

    `waves`: also give sine and cosine of the cycles. Trees do without: the last digit of a sine depends on how many
    rows are computed at once, and a tree may split there.
    """

    origin: np.ndarray
    waves: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of each part that comes out of one column, in order."""
        return (*PARTS, *(f"{cycle}_{wave}" for cycle in CYCLES for wave in ("sin", "cos") if self.waves))

    @property
    def width(self) -> int:
        """Return the number of columns that come out."""
        return len(self.origin) * len(self.names)


def fit_calendar(seconds: np.ndarray, *, waves: bool = True) -> Calendar:
    """Learn the origins from float64 `[n, k]` seconds since 1970, NaN where missing."""
    origin = [float(np.median(c[np.isfinite(c)])) if np.isfinite(c).any() else 0.0 for c in seconds.T]
    return Calendar(np.array(origin, np.float64), waves)


def calendar_nodes(calendar: Calendar, seconds: Var) -> Var:
    """Return float32 `[rows, calendar.width]`, all parts of column 0 first, NaN where the date is missing."""
    missing = op.isnan(seconds)
    known = op.where(missing, op.const(calendar.origin), seconds)
    known = op.max([op.min([known, _float(_LAST)]), _float(_FIRST)])
    whole_days = op.floor(op.div(known, _float(_DAY)))
    days = op.cast(whole_days, to=np.int64)
    year, month, day, yearday = _civil_from_days(days)
    parts = {
        "elapsed": op.div(op.sub(known, op.const(calendar.origin)), _float(_DAY)),
        "year": op.cast(year, to=np.float64),
        "month": op.cast(month, to=np.float64),
        "day": op.cast(day, to=np.float64),
        # 1970-01-01 was a Thursday: Monday is 0.
        "weekday": op.cast(op.mod(op.add(days, _int(3)), _int(7)), to=np.float64),
        "hour": op.div(op.sub(known, op.mul(whole_days, _float(_DAY))), _float(3600.0)),
        "yearday": op.cast(yearday, to=np.float64),
    }
    columns = [parts[name] for name in PARTS]
    for name, period in CYCLES.items() if calendar.waves else ():
        # Sine and cosine exist only in single precision in ONNX Runtime.
        angle = op.cast(op.mul(parts[name], _float(2 * np.pi / period)), to=np.float32)
        columns += [op.sin(angle), op.cos(angle)]
    stacked = [
        op.unsqueeze(op.where(missing, op.const(np.float32(np.nan)), op.cast(c, to=np.float32)), _axis(2))
        for c in columns
    ]
    return op.reshape(op.concat(stacked, axis=2), op.const(np.array([-1, calendar.width], np.int64)))


def _civil_from_days(days: Var) -> tuple[Var, Var, Var, Var]:
    """Return (year, month 1-12, day 1-31, day of the year from 0) of int64 days since 1970-01-01."""
    # Count from 0000-03-01, so that the leap day ends a year; an era is 400 years of 146,097 days.
    z = op.add(days, _int(719_468))
    day_of_era = op.mod(z, _int(146_097))
    era = op.div(op.sub(z, day_of_era), _int(146_097))
    leaps = op.sub(
        op.add(op.sub(day_of_era, _quotient(day_of_era, 1_460)), _quotient(day_of_era, 36_524)),
        _quotient(day_of_era, 146_096),
    )
    year_of_era = _quotient(leaps, 365)
    days_before = op.sub(op.add(op.mul(year_of_era, _int(365)), _quotient(year_of_era, 4)), _quotient(year_of_era, 100))
    day_of_march_year = op.sub(day_of_era, days_before)
    march_month = _quotient(op.add(op.mul(day_of_march_year, _int(5)), _int(2)), 153)
    month_start = _quotient(op.add(op.mul(march_month, _int(153)), _int(2)), 5)
    day = op.add(op.sub(day_of_march_year, month_start), _int(1))
    month = op.add(op.mod(op.add(march_month, _int(2)), _int(12)), _int(1))
    january_or_february = op.cast(op.less_or_equal(month, _int(2)), to=np.int64)
    year = op.add(op.add(year_of_era, op.mul(era, _int(400))), january_or_february)
    return year, month, day, _day_of_year(year, day_of_march_year, january_or_february)


def _day_of_year(year: Var, day_of_march_year: Var, january_or_february: Var) -> Var:
    """Return days since January 1st from days since March 1st."""
    is_leap = op.and_(
        op.equal(op.mod(year, _int(4)), _int(0)),
        op.or_(op.not_(op.equal(op.mod(year, _int(100)), _int(0))), op.equal(op.mod(year, _int(400)), _int(0))),
    )
    after_march = op.add(op.add(day_of_march_year, _int(59)), op.cast(is_leap, to=np.int64))
    before_march = op.sub(day_of_march_year, _int(306))
    return op.where(op.cast(january_or_february, to=np.bool_), before_march, after_march)


def _quotient(value: Var, divisor: int) -> Var:
    """Divide non-negative integers."""
    return op.div(value, _int(divisor))


def _int(value: int) -> Var:
    return op.const(np.array(value, np.int64))


def _float(value: float) -> Var:
    return op.const(np.array(value, np.float64))


def _axis(value: int) -> Var:
    return op.const(np.array([value], np.int64))
