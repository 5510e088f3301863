from dataclasses import replace

import numpy as np
import pytest

from headway.errors import InputError
from headway.runtime.history.memory import Memory
from tests.runtime.history.rows import DAY, TARGET, memory_of, purchases


def ordered(rows=400):
    columns = purchases(rows)
    order = np.argsort(np.asarray(columns["when"]), kind="stable")
    return {name: np.asarray(cells)[order] for name, cells in columns.items()}


def cut(columns, start, stop):
    return {name: cells[start:stop].tolist() for name, cells in columns.items()}


def remembering(columns, stop):
    """Return a memory of the rows before `stop`, with the scales of all, and of all rows."""
    whole = memory_of(columns)
    seconds = np.asarray(columns["when"]).astype("datetime64[us]").astype(np.int64)
    until = seconds[stop - 1] / 1e6
    past = whole.past.take(np.flatnonzero(seconds <= seconds[stop - 1]))
    return Memory(replace(whole.history, until=until), TARGET, past), whole


def test_a_file_that_goes_on_is_told_what_training_on_all_would_be_told():
    columns = ordered()
    memory, whole = remembering(columns, 250)
    wanted = whole.recall(cut(columns, 250, 400))
    found = memory.follow(cut(columns, 250, 400))
    for name in memory.names:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)


def test_the_order_of_the_file_does_not_matter():
    columns = ordered()
    memory, _ = remembering(columns, 250)
    rows = np.random.default_rng(1).permutation(np.arange(250, 400))
    shuffled = memory.follow({name: cells[rows].tolist() for name, cells in columns.items()})
    straight = memory.follow(cut(columns, 250, 400))
    for name in memory.names:
        np.testing.assert_array_equal(shuffled[name], straight[name][rows - 250])


def test_rows_that_are_remembered_already_do_not_count_twice():
    columns = ordered()
    memory, whole = remembering(columns, 400)
    for name, cells in memory.follow(cut(columns, 100, 400)).items():
        np.testing.assert_array_equal(cells, whole.recall(cut(columns, 100, 400))[name])


def test_rows_of_one_call_know_nothing_of_each_other_unless_they_follow():
    memory, _ = remembering(ordered(), 400)
    late = np.array(["2020-01-01T10", "2020-01-01T11"], "datetime64[us]")
    rows = {"when": late, "customer": ["ann", "ann"], "shop": [1, 1], "amount": [1.0, 2.0]}
    assert memory.recall(rows)["customer: rows in 1d"].tolist() == [0, 0]
    assert memory.follow(rows)["customer: rows in 1d"].tolist() == [0, 1]


def test_a_key_that_was_never_met_has_no_past():
    columns = purchases()
    memory = memory_of(columns)
    rows = {"when": ["2024-01-01"], "customer": ["nobody knows"], "shop": [None], "amount": [5.0]}
    told = memory.recall(rows)
    assert told["customer: rows in 7d"].tolist() == [0]
    assert np.isnan(told["customer: mean amount in 7d"]).all()
    assert np.isnan(told["shop: rows in 7d"]).all()


def test_what_was_forgotten_is_said():
    columns = ordered()
    memory = memory_of(columns)
    since = float(np.asarray(columns["when"])[200].astype("datetime64[s]").astype(int))
    forgetful = Memory(replace(memory.history, since=since), TARGET, memory.past)
    with pytest.raises(InputError, match="remembers nothing that counts before"):
        forgetful.recall(cut(columns, 0, 5))
    assert np.isnan(forgetful.recall(cut(columns, 0, 5), strict=False)["customer: rows in 1d"]).all()
    assert not np.isnan(forgetful.recall(cut(columns, 200, 205))["shop: rows in 1d"]).all()


def test_no_past_at_all():
    columns = cut(ordered(), 0, 0)
    memory = memory_of({name: np.array([], "datetime64[us]") if name == "when" else [] for name in columns})
    rows = {"when": ["2024-01-01", "2024-01-02"], "customer": ["a", "a"], "shop": [1, 1], "amount": [1, 2]}
    assert memory.recall(rows)["customer: rows in 7d"].tolist() == [0, 0]
    assert memory.follow(rows)["customer: rows in 7d"].tolist() == [0, 1]
    assert memory.follow(rows)["customer: days since last"][1] == pytest.approx(DAY / 86_400)
