import sys
import types

import polars as pl
import pytest

from headway.data.sources.hub import read_hub
from headway.errors import DataError, MissingExtraError


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"headway\[hub\]"):
        read_hub("hf://owner/name")


def test_the_id_the_config_and_the_split_are_handed_on(monkeypatch):
    # The library is a stand-in: the hub itself is out of reach for tests.
    asked = []

    class Loaded:
        def with_format(self, kind):
            return self

        def __getitem__(self, rows):
            return Arrow()

    class Arrow:
        def __arrow_c_stream__(self, requested_schema=None):
            return pl.DataFrame({"text": ["a"], "label": [1]}).__arrow_c_stream__(requested_schema)

    def load_dataset(name, config, *, split):
        asked.append((name, config, split))
        return Loaded()

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    assert read_hub("hf://owner/name?config=zh&split=test").frame.rows() == [("a", 1)]
    assert asked == [("owner/name", "zh", "test")]


def test_no_network_is_a_clear_error(monkeypatch):
    def load_dataset(name, config, *, split):
        raise ConnectionError("Couldn't reach the hub")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    with pytest.raises(DataError, match="Couldn't reach the hub"):
        read_hub("hf://owner/name")
