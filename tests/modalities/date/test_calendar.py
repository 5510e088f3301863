import datetime as dt
import math

import numpy as np
import spox
from hypothesis import given
from hypothesis import strategies as st

from headway.modalities.date.calendar import Calendar, calendar_nodes, fit_calendar
from headway.modalities.table import session

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def graph_of(calendar):
    seconds = spox.argument(spox.Tensor(np.float64, ("rows", len(calendar.origin))))
    return session.build({"dates": seconds}, {"parts": calendar_nodes(calendar, seconds)})


GRAPH = graph_of(Calendar(np.zeros(1)))


def parts_of(moments):
    seconds = np.array([[math.nan if m is None else (m - EPOCH).total_seconds()] for m in moments])
    (matrix,) = session.run(GRAPH, {"dates": seconds})
    return [dict(zip(Calendar(np.zeros(1)).names, row, strict=True)) for row in matrix]


@given(st.lists(st.datetimes(timezones=st.just(dt.UTC)), min_size=1, max_size=20))
def test_the_graph_agrees_with_the_calendar_of_python(moments):
    for moment, parts in zip(moments, parts_of(moments), strict=True):
        found = [parts[name] for name in ("year", "month", "day", "weekday", "yearday")]
        assert found == [moment.year, moment.month, moment.day, moment.weekday(), moment.timetuple().tm_yday - 1]
        assert math.floor(parts["hour"] + 1e-6) in (moment.hour, moment.hour + 1)
        assert abs(parts["hour"] - (moment - moment.replace(hour=0, minute=0, second=0)).seconds / 3600) < 1e-3


def test_leap_days_and_days_before_1970():
    moments = [dt.datetime(*day, tzinfo=dt.UTC) for day in ((2000, 2, 29), (1900, 3, 1), (1969, 12, 31), (1, 1, 1))]
    found = [(p["year"], p["month"], p["day"], p["yearday"]) for p in parts_of(moments)]
    assert found == [(2000, 2, 29, 59), (1900, 3, 1, 59), (1969, 12, 31, 364), (1, 1, 1, 0)]


def test_a_missing_date_is_missing_in_every_part():
    assert all(math.isnan(value) for value in parts_of([None])[0].values())


def test_midnight_and_eleven_at_night_are_neighbours_on_the_clock():
    noon, midnight, late = parts_of([dt.datetime(2024, 5, 1, h, tzinfo=dt.UTC) for h in (12, 0, 23)])
    far = abs(noon["hour_cos"] - midnight["hour_cos"])
    assert abs(late["hour_cos"] - midnight["hour_cos"]) < 0.1 < far


def test_days_are_counted_from_the_middle_of_training():
    calendar = fit_calendar(np.array([[0.0], [86_400.0], [2 * 86_400.0], [np.nan]]))
    (matrix,) = session.run(graph_of(calendar), {"dates": np.array([[3 * 86_400.0]])})
    assert matrix[0, calendar.names.index("elapsed")] == 2.0


def test_a_column_without_any_date_is_missing_everywhere():
    calendar = fit_calendar(np.full((3, 2), np.nan))
    (matrix,) = session.run(graph_of(calendar), {"dates": np.full((1, 2), np.nan)})
    assert matrix.shape == (1, calendar.width)
    assert np.isnan(matrix).all()
