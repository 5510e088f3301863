from dataclasses import replace

from headway.runtime.history.naming import feature_names, write_span
from tests.runtime.history.rows import HISTORY, memory_of, purchases


def test_names_are_different_and_as_many_as_the_columns():
    for history in (HISTORY, replace(HISTORY, delay=None, event=None), replace(HISTORY, values=(), windows=(60.0,))):
        names = feature_names(history, "label")
        assert len(set(names)) == len(names)
        changes = {name: getattr(history, name) for name in ("delay", "event", "values", "windows")}
        memory = memory_of(purchases(20), **changes)
        assert tuple(memory.recall(purchases(20))) == names


def test_spans():
    assert [write_span(seconds) for seconds in (604_800, 7200, 90, 0.5)] == ["7d", "2h", "90s", "0.5s"]
