import numpy as np
import polars as pl
import pytest
import spox
import spox.opset.ai.onnx.v21 as op

from headway.errors import InputError, PackageError
from headway.package.opening import open_graph
from headway.runtime import predictor as module
from headway.runtime.feeds.batches import BATCH_TOKENS
from headway.runtime.manifest import ImageFeed, TokenFeed
from tests.runtime.feeds.test_tokens import tokenizer
from tests.runtime.graphs import built, number_graph, text_graph, value_graph

RANDOM = np.random.default_rng(0)
TEXTS = ["x" * int(length) + str(number) for number, length in enumerate(RANDOM.integers(0, 400, 2000))]


@pytest.mark.parametrize("threads", [1, 2])
def test_sorted_parts_come_back_in_order(threads):
    predictor = open_graph(text_graph(), threads=threads)
    together = predictor.run({"review": TEXTS})
    apart = np.concatenate([predictor.run({"review": [text]}) for text in TEXTS[:200]])
    np.testing.assert_allclose(together[:200], apart, rtol=1e-4, atol=1e-6)
    assert together.shape == (2000, 3)
    assert together.dtype == np.float32


def test_long_texts_come_in_small_parts_and_little_is_padding():
    lengths = np.array([len(text) for text in TEXTS])
    parts = list(module._buckets(lengths, 512))
    assert sorted(np.concatenate(parts).tolist()) == list(range(2000))
    padded = sum(len(part) * lengths[part].max() for part in parts)
    assert padded < 1.1 * lengths.sum()
    assert all(len(part) * lengths[part].max() <= module._TEXT_CELLS for part in parts)
    assert [len(part) for part in module._buckets(np.array([10**6, 1]), 512)] == [1, 1]


def token_graph():
    """Return the share of the word "bad" among a text's words; the tokens of padding do not count."""
    shape = spox.Tensor(np.int64, ("rows", "length"))
    ids, mask = spox.argument(shape), spox.argument(shape)
    counted = op.cast(mask, to=np.float32)
    bad = op.mul(op.cast(op.equal(ids, op.const(np.int64(2))), to=np.float32), counted)
    along = op.const(np.array([1]))
    share = op.div(op.reduce_sum(bad, along), op.max([op.reduce_sum(counted, along), op.const(np.float32(1))]))
    feeds = (TokenFeed("t", ("review",), pad_id=2),)
    files = {"tokenizer.json": tokenizer(good=1, bad=2)}
    return built({"t.ids": ids, "t.mask": mask}, share, feeds, out="values", files=files)


@pytest.mark.parametrize("threads", [1, 2])
def test_texts_read_as_tokens_are_sorted_by_tokens_whatever_their_letters(threads, monkeypatch):
    # Words of one letter or of fifty: the number of letters says nothing of the number of tokens.
    texts = [" ".join(RANDOM.choice(["good", "bad", "x" * 50], size)) for size in RANDOM.integers(0, 60, 5000)]
    shapes = []

    def watched(session, output, arrays):
        shapes.append(arrays["t.mask"].shape)
        return run(session, output, arrays)

    run = module.run
    monkeypatch.setattr(module, "run", watched)
    answers = open_graph(token_graph(), threads=threads).run({"review": texts})
    words = [text.split() for text in texts]
    np.testing.assert_allclose(answers[:, 0], [w.count("bad") / max(1, len(w)) for w in words], atol=1e-6)
    computed = sum(rows * length for rows, length in shapes)
    assert computed < 1.05 * sum(map(len, words))
    assert all(rows * length <= BATCH_TOKENS for rows, length in shapes if length)
    assert sum(rows for rows, _ in shapes) == 5000


def test_a_long_text_among_a_few_short_ones_is_computed_apart(monkeypatch):
    shapes = []
    run = module.run
    monkeypatch.setattr(module, "run", lambda s, o, arrays: shapes.append(arrays["t.ids"].shape) or run(s, o, arrays))
    answers = open_graph(token_graph(), threads=1).run({"review": ["good bad"] * 30 + ["bad " * 200]})
    np.testing.assert_allclose(answers[:, 0], [0.5] * 30 + [1])
    assert shapes == [(1, 200), (30, 2)]


def test_many_parts_of_tokens_run_on_a_core_each(monkeypatch):
    sessions, opened = [], []
    run = module.run
    monkeypatch.setattr(module, "run", lambda session, *rest: sessions.append(session) or run(session, *rest))
    graph = token_graph()

    def reopen():
        opened.append(True)
        return graph.onnx

    predictor = module.open_predictor(graph.onnx, graph.feeds, graph.files, threads=2, reopen=reopen)
    assert predictor.run({"review": ["good bad"]}).tolist() == [[0.5]]
    assert len(predictor.run({"review": ["bad " * 100] * 40})) == 40
    assert set(sessions) == {predictor.session}
    assert not opened
    sessions.clear()
    for _ in range(2):
        assert predictor.run({"review": ["bad " * 100] * 400}).tolist() == [[1]] * 400
    assert len(set(sessions)) == len(opened) == 1
    assert predictor.session not in sessions


def test_many_parts_are_answered_when_their_package_is_gone():
    def gone():
        raise PackageError("the package cannot be read")

    graph = token_graph()
    predictor = module.open_predictor(graph.onnx, graph.feeds, graph.files, threads=2, reopen=gone)
    assert predictor.run({"review": ["bad " * 100] * 400}).tolist() == [[1]] * 400


def test_tables_are_cut_by_rows():
    numbers = RANDOM.normal(size=10_000)
    answers = open_graph(number_graph()).run({"a": numbers, "b": pl.Series(np.zeros(10_000))})
    np.testing.assert_allclose(answers[:, 1], 1 / (1 + np.exp(-numbers)), rtol=1e-4)


def test_values_and_no_rows():
    assert open_graph(value_graph()).run({"a": ["1,000", 2]}).tolist() == [[2000], [4]]
    assert open_graph(value_graph()).run({"a": []}).shape == (0, 1)
    assert open_graph(text_graph()).run({"review": []}).shape == (0, 3)


def test_a_bad_cell_in_a_large_batch_is_named_by_its_own_row():
    cells = [1.0] * 9000
    cells[8765] = "many"
    predictor = open_graph(number_graph())
    with pytest.raises(InputError, match="row 8766, column 'a'"):
        predictor.run({"a": cells, "b": [0] * 9000})
    assert predictor.run({"a": cells, "b": [0] * 9000}, strict=False)[8765].tolist() == [0.5, 0.5]
    with pytest.raises(InputError, match="row 1001, column 'review'"):
        open_graph(text_graph()).run({"review": [*TEXTS[:1000], ["no text"]]})


def test_a_missing_column_and_uneven_columns_are_named():
    predictor = open_graph(text_graph())
    with pytest.raises(InputError, match="did you mean 'Review'"):
        predictor.run({"Review": ["x"], "id": [1]})
    with pytest.raises(InputError, match="'a': 1, 'b': 2"):
        open_graph(number_graph()).run({"a": [1], "b": [1, 2], "unused": []})


def test_images_come_in_parts_that_fit_into_memory(monkeypatch):
    pixels = spox.argument(spox.Tensor(np.uint8, ("rows", 2, 2, 1)))
    mean = op.reduce_mean(op.cast(pixels, to=np.float32), op.const(np.array([1, 2])), keepdims=0)
    graph = built({"i": pixels}, mean, (ImageFeed("i", ("photo",), 2, 2, "L"),), out="values")
    monkeypatch.setattr(module, "_IMAGE_PIXELS", 12)
    pictures = RANDOM.integers(0, 255, (20, 2, 2), dtype=np.uint8)
    predictor = open_graph(graph)
    assert [len(part) for part in predictor._parts({"photo": pictures}, {}, 20)] == [3] * 6 + [2]
    np.testing.assert_allclose(predictor.run({"photo": pictures})[:, 0], pictures.mean((1, 2)), rtol=1e-6)
