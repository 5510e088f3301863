from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.data.dataset import ROW, Table
from headway.data.history import cut_by_dates, tell_history
from headway.errors import DataError
from headway.project.schema import History, Splitting
from headway.project.units import read_moment

NO_REJECTS = pl.DataFrame(schema={"file": pl.String, "row": pl.UInt32, "reason": pl.String})
ASKED = History(time="when", keys=("customer",), values=("amount",), windows=(86_400.0, 604_800.0), delay=86_400.0)


def table_of(days, *, customers=("a", "b"), seed=0, bad=0.2):
    generator = np.random.default_rng(seed)
    rows = 20 * len(days)
    hours = generator.integers(0, 24, rows)
    when = [f"{day} {hour:02d}:00:00" for day, hour in zip(np.repeat(days, 20).tolist(), hours.tolist(), strict=True)]
    frame = pl.DataFrame(
        {
            ROW: pl.Series(np.arange(rows), dtype=pl.UInt32),
            "when": when,
            "customer": generator.choice(customers, rows),
            "amount": generator.lognormal(2, 1, rows).round(2).astype(str),
            "label": np.where(generator.random(rows) < bad, "bad", "good"),
        }
    )
    return Table(frame, NO_REJECTS, rows)


DAYS = [f"2024-03-{day:02d}" for day in range(1, 15)]


def tell(table, test=None, asked=ASKED, **dates):
    splitting = Splitting(**{name: read_moment(day) for name, day in dates.items()})
    return tell_history(table, test, asked, target="label", task=None, splitting=splitting)


def test_every_row_is_told_its_past_and_the_rarer_label_counts():
    told = tell(table_of(DAYS))
    assert told.history.event == "bad"
    assert told.test is None
    assert set(told.names) <= set(told.table.rows.columns)
    first = told.table.rows.sort("when")[told.names[2]][0]
    assert first == 0


def test_dates_divide_the_rows_and_what_lies_outside_is_history():
    told = tell(table_of(DAYS), train_from="2024-03-05", train_until="2024-03-09", test_from="2024-03-12")
    assert told.test is not None
    assert (told.table.rows.height, told.test.rows.height) == (80, 60)
    assert (told.table.read, told.test.read) == (80, 60)
    assert told.table.rows["customer: rows in 7d"].mean() > 30
    assert "140 rows are not learnt from" in " ".join(finding.message for finding in told.findings)


def test_a_given_test_part_is_told_what_lies_before_it_in_the_other():
    whole = table_of(DAYS)
    parts = [replace(whole, rows=whole.rows[start:stop]) for start, stop in ((0, 200), (200, 280))]
    given = tell(parts[0], parts[1])
    dated = tell(whole, test_from="2024-03-11")
    assert given.test is not None
    assert dated.test is not None
    for name in given.names:
        assert given.test.rows[name].equals(dated.test.rows[name])


def test_a_blocked_customer_is_not_tested():
    table = table_of(DAYS, customers=("a", "b", "c"), bad=0.0)
    frame = table.rows.with_columns(
        label=pl.when((pl.col("customer") == "a") & pl.col("when").str.starts_with("2024-03-05"))
        .then(pl.lit("bad"))
        .otherwise("label")
    )
    dates = {"train_from": "2024-03-04", "train_until": "2024-03-10", "test_from": "2024-03-12"}
    told = tell(replace(table, rows=frame), asked=ASKED.model_copy(update={"block": "customer"}), **dates)
    assert told.test is not None
    assert set(told.test.rows["customer"]) == {"b", "c"}
    later = tell(
        replace(table, rows=frame),
        asked=ASKED.model_copy(update={"block": "customer"}),
        **{**dates, "train_from": "2024-03-06"},
    )
    assert later.test is not None
    assert set(later.test.rows["customer"]) == {"a", "b", "c"}


def test_the_package_remembers_what_counts_for_the_test_part_and_later_rows():
    told = tell(table_of(DAYS), test_from="2024-03-13")
    assert told.history.since == pytest.approx(read_moment("2024-03-13"), abs=86_400)
    assert told.history.until == pytest.approx(read_moment("2024-03-14 23:00"), abs=86_400)
    kept = told.past.times
    assert kept.min() >= (read_moment("2024-03-05") - 1) * 1e6
    assert tell(table_of(DAYS[:3]), test_from="2024-03-02").history.since is None


def test_numbers_as_targets_are_told_by_their_mean():
    table = table_of(DAYS)
    frame = table.rows.with_columns(label=pl.col("amount").cast(pl.Float64) * 2)
    told = tell_history(replace(table, rows=frame), None, ASKED, target="label", task="regress", splitting=Splitting())
    assert told.history.event is None
    assert told.table.rows["customer: mean label in 7d up to 1d ago"].drop_nulls().mean() > 2


def test_what_cannot_be_told():
    table = table_of(DAYS)
    with pytest.raises(DataError, match="did you mean customer"):
        tell(table, asked=ASKED.model_copy(update={"keys": ("custommer",)}))
    with pytest.raises(DataError, match="holds no dates"):
        tell(table, asked=ASKED.model_copy(update={"time": "amount"}))
    with pytest.raises(DataError, match=r"no row has the label of history.event"):
        tell(table, asked=ASKED.model_copy(update={"event": "worse"}))
    with pytest.raises(DataError, match="already has the column"):
        tell(replace(table, rows=table.rows.with_columns(pl.lit(1).alias("when: night"))))
    with pytest.raises(DataError, match="a sample of the rows"):
        tell(replace(table, left_out=5))
    with pytest.raises(DataError, match="no row is left to test on"):
        tell(table, test_from="2025-01-01")
    three = table.rows.with_columns(label=pl.Series(["x", "y", "z", "x"] * 70))
    with pytest.raises(DataError, match="it is not said which label"):
        tell(replace(table, rows=three))


def test_dates_divide_a_table_without_a_history_too():
    splitting = Splitting(time="when", train_until=read_moment("2024-03-08"), test_from=read_moment("2024-03-10"))
    table, test = cut_by_dates(table_of(DAYS), None, splitting)
    assert test is not None
    assert (table.rows.height, test.rows.height, table.read) == (140, 100, 140)
