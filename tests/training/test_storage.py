from dataclasses import replace
from pathlib import Path

import numpy as np

from headway.models.family import Estimate
from headway.training.outcome import Outcome, Tournament
from headway.training.storage import SHIPPED, Begun, Store
from tests.runtime.graphs import number_graph


def outcome(name="linear"):
    return Outcome(name, "ok", graph=number_graph(), answers=np.zeros((3, 2), np.float32))


def test_a_saved_graph_stays_on_the_disk_until_it_is_read(tmp_path):
    store = Store(tmp_path)
    before = outcome()
    for kept in (store.save(before), store.load("linear")):
        assert isinstance(kept.graph.model, Path)
        assert kept.graph.onnx == before.graph.onnx
        assert kept.graph.feeds == before.graph.feeds


def test_what_is_known_later_is_added_without_losing_the_graph(tmp_path):
    store = Store(tmp_path)
    before = outcome()
    store.save(replace(store.save(before), memory_mb=50.0))
    found = store.load("linear")
    assert found.memory_mb == 50.0
    assert found.graph.onnx == before.graph.onnx


def test_a_graph_that_ships_as_it_was_compared_is_not_written_twice(tmp_path):
    store = Store(tmp_path)
    kept = store.save(outcome())
    told = {"winner": "linear", "metric": "accuracy", "refitted": False}
    shipped = Tournament((kept,), graph=kept.graph, answers=kept.answers, expected=kept.answers, **told)
    ended = store.save_end(shipped)
    assert ended.graph.onnx == ended.outcomes[0].graph.onnx == store.load_end().graph.onnx
    assert (tmp_path / SHIPPED / "graph.onnx").samefile(tmp_path / "linear" / "graph.onnx")


def test_a_graph_is_kept_on_a_disk_without_links(tmp_path, monkeypatch):
    def link(*_):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", link)
    store = Store(tmp_path)
    before = outcome()
    assert store.save(store.save(before)).graph.onnx == before.graph.onnx


def test_what_is_forgotten_may_begin_anew(tmp_path):
    store = Store(tmp_path)
    for name, status in {"a": "ok", "b": "skipped", "c": "failed"}.items():
        store.save(Outcome(name, status))
        store.begin(name, Begun(Estimate(1.0, 1.0), 1.0, 5.0))
    store.forget("skipped")
    assert [name for name in "abc" if store.load(name)] == ["a", "c"]
    assert [name for name in "abc" if store.begun(name)] == ["a", "c"]
