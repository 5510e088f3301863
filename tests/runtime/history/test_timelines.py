import numpy as np
import pytest

from headway.runtime.history.events import NEVER, read_events
from headway.runtime.history.timelines import describe_time
from tests.runtime.history.rows import DAY, HISTORY, TARGET, memory_of, purchases

HOUR = 3600


def by_hand(columns, row, key, window, *, delay=3 * DAY):
    """Return what `row` is told of one key and window, by looking at every other row."""
    seconds = np.asarray(columns["when"]).astype("datetime64[s]").astype(int)
    now, own = seconds[row], columns[key][row]
    others = [i for i in range(len(seconds)) if columns[key][i] == own and own != ""]
    recent = [i for i in others if now - window < seconds[i] < now]
    amounts = np.array([columns["amount"][i] for i in recent])
    amounts = amounts[~np.isnan(amounts)]
    late = [i for i in others if now - delay - window < seconds[i] <= now - delay and columns["label"][i] != ""]
    bad = [columns["label"][i] == "bad" for i in late]
    return len(recent), amounts.mean() if len(amounts) else np.nan, len(late), np.mean(bad) if bad else np.nan


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_told_is_what_one_counts_by_hand(seed):
    columns = purchases(seed=seed)
    told = memory_of(columns).recall(columns)
    for row in range(0, 300, 7):
        for key in ("customer", "shop"):
            for window, span in ((DAY, "1d"), (7 * DAY, "7d")):
                names = [
                    f"{key}: rows in {span}",
                    f"{key}: mean amount in {span}",
                    f"{key}: known rows in {span} up to 3d ago",
                    f"{key}: mean label=bad in {span} up to 3d ago",
                ]
                found = [float(told[name][row]) for name in names]
                if columns[key][row] == "":
                    assert np.isnan(found).all()
                else:
                    assert found == pytest.approx(by_hand(columns, row, key, window), rel=1e-5, nan_ok=True)


def test_ratio_deviation_and_days_since_the_last_row():
    columns = {
        "when": np.array(["2024-03-01T00:00", "2024-03-01T12:00", "2024-03-02T06:00"], "datetime64[us]"),
        "customer": ["a", "a", "a"],
        "shop": [1, 2, 3],
        "amount": [10.0, 30.0, 60.0],
        "label": ["good"] * 3,
    }
    told = memory_of(columns).recall(columns)
    assert told["customer: amount by its mean in 7d"][2] == pytest.approx(3.0)
    assert told["customer: amount in deviations from its mean in 7d"][2] == pytest.approx(4.0, rel=1e-4)
    assert np.isnan(told["customer: amount in deviations from its mean in 7d"][1])
    assert told["customer: days since last"][2] == pytest.approx(0.75)
    assert np.isnan(told["shop: days since last"]).all()


def test_targets_younger_than_the_delay_tell_nothing():
    columns = purchases()
    changed = dict(columns)
    seconds = np.asarray(columns["when"]).astype("datetime64[s]").astype(int)
    row = int(seconds.argmax())
    young = seconds > seconds[row] - 3 * DAY
    changed["label"] = ["bad" if is_young else label for is_young, label in zip(young, columns["label"], strict=True)]
    before, after = (memory_of(each).recall(each) for each in (columns, changed))
    for name in before:
        np.testing.assert_array_equal(before[name][row], after[name][row])


def test_later_rows_tell_nothing():
    columns = purchases()
    order = np.argsort(np.asarray(columns["when"]), kind="stable")
    early = {name: np.asarray(cells)[order[:150]].tolist() for name, cells in columns.items()}
    whole = memory_of(columns, scales=(20, 36))
    alone = memory_of(early)
    for name, cells in whole.recall(early).items():
        np.testing.assert_allclose(cells, alone.recall(early)[name], rtol=1e-4, atol=1e-4, equal_nan=True)


def test_the_same_row_is_told_the_very_same_whatever_stands_beside_it():
    columns = purchases(rows=500)
    memory = memory_of(columns)
    whole = memory.recall(columns)
    generator = np.random.default_rng(0)
    for _ in range(3):
        rows = generator.permutation(500)[:40]
        part = memory.recall({name: np.asarray(cells)[rows].tolist() for name, cells in columns.items()})
        for name in memory.names:
            np.testing.assert_array_equal(part[name], whole[name][rows])


def test_huge_and_tiny_values_do_not_spoil_the_sums():
    columns = purchases(rows=50)
    columns["amount"] = np.where(np.arange(50) % 2, 1e30, -1e30)
    assert all(np.isfinite(cells[~np.isnan(cells)]).all() for cells in memory_of(columns).recall(columns).values())
    columns["amount"] = np.zeros(50)
    told = memory_of(columns).recall(columns)
    assert np.nanmax(np.abs(told["shop: mean amount in 7d"])) == 0
    assert np.isnan(told["shop: amount by its mean in 7d"]).all()


def test_night_and_weekend():
    columns = {
        "when": ["2024-03-01 06:59", "2024-03-02 07:00", "2024-03-03 00:00", ""],
        "customer": ["a"] * 4,
        "shop": [1] * 4,
        "amount": [1.0] * 4,
    }
    events = read_events(HISTORY, columns, target=None)
    assert events.times[3] == NEVER
    np.testing.assert_array_equal(describe_time(events), [[1, 0], [0, 1], [1, 1], [np.nan, np.nan]])
    assert TARGET not in columns
