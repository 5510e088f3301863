import numpy as np
import pytest

from headway.errors import InputError
from headway.runtime.history.events import NEVER, NOBODY, read_events
from tests.runtime.history.rows import HISTORY, TARGET


def rows(**changes):
    return {"when": ["2024-01-01"], "customer": ["a"], "shop": [7], "amount": ["1,200.5"], "label": ["bad"]} | changes


def test_one_spelling_one_key():
    keys = [read_events(HISTORY, rows(shop=[shop])).keys[0, 1] for shop in (7, 7.0, "7", " 7 ", "7.0")]
    assert len(set(keys)) == 1
    assert read_events(HISTORY, rows(shop=[8])).keys[0, 1] != keys[0]
    assert read_events(HISTORY, rows(shop=[None])).keys[0, 1] == NOBODY


def test_times_values_and_outcomes():
    found = read_events(HISTORY, rows(), target=TARGET)
    assert found.times.tolist() == [1_704_067_200_000_000]
    assert found.values.tolist() == [[1200.5]]
    assert found.outcomes.tolist() == [1.0]
    assert read_events(HISTORY, rows(label=["good"]), target=TARGET).outcomes.tolist() == [0.0]
    for unknown in (rows(label=[None]), rows(label=[""])):
        assert np.isnan(read_events(HISTORY, unknown, target=TARGET).outcomes).all()
    assert np.isnan(read_events(HISTORY, rows()).outcomes).all()


def test_bad_cells():
    with pytest.raises(InputError, match="when"):
        read_events(HISTORY, rows(when=["soon"]))
    assert read_events(HISTORY, rows(when=["soon"]), strict=False).times.tolist() == [NEVER]
    with pytest.raises(InputError, match="'shop' is missing"):
        read_events(HISTORY, {name: cells for name, cells in rows().items() if name != "shop"})
