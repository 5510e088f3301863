import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from headway.compute.clock import Clock
from headway.encoders import features as module
from headway.encoders.exporting import base_model, encoder_model, feature_key
from headway.encoders.features import features, open_reader, pace_of, seconds_for, unknown
from headway.encoders.on_gpu import has_gpu
from headway.encoders.opening import open_encoder
from headway.encoders.precision import choose_precision
from headway.encoders.store import DiskStore, open_store, text_keys
from headway.errors import TrainingError
from headway.runtime.session import open_session
from tests.encoders.tiny import sentences, tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


def test_every_text_gets_its_own_vector(base, tmp_path):
    texts = [*sentences(60), "", "good", "good"]
    found = features(base, texts, "float32", store=tmp_path)
    alone = np.concatenate([open_reader(base, "float32").encode([text]) for text in texts])
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_a_module_on_the_best_device_gives_the_vectors_of_the_graph(base, monkeypatch):
    """The way of a GPU, walked on whatever is here."""
    texts = [*sentences(30), "", "good"]
    graph = open_reader(base, "float32").encode(texts)
    module.open_reader.cache_clear()
    monkeypatch.setattr(module, "has_gpu", lambda: True)
    monkeypatch.setattr(module, "open_session", lambda *_, **__: pytest.fail("read by the graph"))
    np.testing.assert_allclose(open_reader(base, "float32").encode(texts), graph, atol=1e-5)
    module.open_reader.cache_clear()


@pytest.mark.skipif(not has_gpu(), reason="no GPU here")
def test_a_gpu_gives_the_vectors_of_the_graph(base, monkeypatch):
    found = open_reader(base, "float32").encode(sentences(30))
    module.open_reader.cache_clear()
    monkeypatch.setattr(module, "has_gpu", lambda: False)
    np.testing.assert_allclose(found, open_reader(base, "float32").encode(sentences(30)), atol=1e-4)
    module.open_reader.cache_clear()


def test_only_missing_texts_are_computed(base, tmp_path, monkeypatch):
    texts = sentences(50)
    first = features(base, texts, "float32", store=tmp_path)
    asked = []
    encode = module.Reader.encode
    monkeypatch.setattr(module.Reader, "encode", lambda self, some: asked.extend(some) or encode(self, some))
    again = features(base, [*texts[::-1], "clean clean clean", "clean clean clean"], "float32", store=tmp_path)
    np.testing.assert_array_equal(again[:50], first[::-1])
    assert asked == ["clean clean clean"]


def test_texts_that_are_kept_need_no_time_in_an_estimate(base, tmp_path):
    texts = sentences(20)
    features(base, texts, "float32", store=tmp_path)
    assert unknown(base, [*texts, "the good room", "the good room"], "float32", store=tmp_path) == ["the good room"]
    assert unknown(base, texts, "float32", store=tmp_path) == []


def test_without_a_store_memory_keeps_them(tmp_path, monkeypatch):
    base = tiny_base(tmp_path, seed=5)
    first = features(base, sentences(20), "float32")
    monkeypatch.setattr(module.Reader, "encode", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(features(base, sentences(20), "float32"), first)


def test_a_stopped_run_keeps_its_chunks(base, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 10)
    texts = [f"{text} {number}" for number, text in enumerate(sentences(40))]
    encode, calls = module.Reader.encode, []

    def stopped(self, some):
        calls.append(len(some))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, some)

    monkeypatch.setattr(module.Reader, "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        features(base, texts, "float32", store=tmp_path)
    calls[:] = [0] * 5
    features(base, texts, "float32", store=tmp_path)
    assert sum(calls) == 20


def test_a_clock_that_ends_is_obeyed(base, tmp_path):
    with pytest.raises(TrainingError, match="time ended"):
        features(base, sentences(30), "float32", store=tmp_path, clock=Clock.after(-1))


def test_damaged_and_half_written_chunks_count_as_absent(tmp_path):
    store = DiskStore(tmp_path)
    keys, rows = text_keys(["a", "b"]), np.eye(2, dtype=np.float32)
    store.add(keys, rows)
    store.add(text_keys(["c"]), rows[:1])
    (tmp_path / "half.rows.npy").write_bytes(b"rows without keys")
    (tmp_path / "odd.keys.npy").write_bytes(b"\x93NUMPY")
    known, found = store.get(text_keys(["b", "x", "c", "a"]))
    assert known.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(found, rows[[1, 0, 0]])
    for path in tmp_path.glob("*.rows.npy"):
        path.write_bytes(path.read_bytes()[:20])
    assert not store.get(keys)[0].any()


def test_two_bases_and_precisions_never_share_vectors(base, tmp_path):
    other = tiny_base(tmp_path / "other", seed=9)
    keys = {feature_key(b, p) for b in (base, other) for p in ("float32", "int8")}
    assert len(keys) == 4
    assert not open_store(tmp_path, feature_key(other, "int8")).get(text_keys(["a"]))[0].any()


@pytest.mark.parametrize("kind", ["bert", "distilbert", "xlm-roberta"])
def test_eight_bits_are_near_and_depend_on_no_neighbour(kind, tmp_path):
    base = tiny_base(tmp_path, kind, hidden=128)
    texts = sentences(60)
    whole, eight = (open_reader(base, precision).encode(texts) for precision in ("float32", "int8"))
    noise = ((eight - whole) ** 2).sum() / ((whole - whole.mean(0)) ** 2).sum()
    assert 0 < noise < 0.02
    alone = np.concatenate([open_reader(base, "int8").encode([text]) for text in texts])
    np.testing.assert_allclose(alone, eight, atol=1e-4)
    assert len(base_model(base, "int8")) < 0.5 * len(base_model(base, "float32"))


def test_a_module_goes_back_to_the_same_model(base):
    session = open_session(encoder_model(open_encoder(base)), threads=1)
    ids = np.array([[2, 5, 6, 3]])
    (found,) = session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
    wanted = open_reader(base, "float32").run(ids, np.ones_like(ids))
    np.testing.assert_array_equal(found, wanted)


def test_the_choice_of_precision_is_kept(base, tmp_path):
    chosen = choose_precision(base, sentences(20), store=tmp_path)
    (place,) = tmp_path.glob("features/*.json")
    figures = json.loads(place.read_text())
    assert figures["precision"] == chosen
    assert figures["time_ratio"] > 0
    assert figures["noise"] >= 0
    place.write_text('{"precision": "int8"}')
    assert choose_precision(base, ["x"], store=tmp_path) == "int8"
    assert choose_precision(base, []) in {"float32", "int8"}


def test_the_time_is_probed(base):
    assert seconds_for(base, [], "float32") == 0
    assert 0 < seconds_for(base, sentences(100), "float32") < 60


def test_the_pace_counts_the_tokens_that_were_read(base):
    texts = [*sentences(30), ""]
    tokens = sum(map(len, open_reader(base, "float32").tokens(texts)))
    pace = pace_of(base, texts, "float32")
    assert pace.tokens_per_second * pace.text_seconds == pytest.approx(tokens / len(texts))
    assert pace_of(base, [], "float32").tokens_per_second > 0
