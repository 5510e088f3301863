import numpy as np
import polars as pl
import pytest

from headway.compression.pruning.blueprint import read_blueprint, write_blueprint
from headway.compression.pruning.cutting import cut, without
from headway.compression.pruning.groups import find_channels, find_heads, find_spans
from headway.compression.pruning.variants import pruned_variants
from headway.compute.clock import Clock
from headway.package.graph import Graph
from headway.package.opening import open_graph
from tests.compression.graphs import HIDDEN, dense_graph, numbers_frame, picture_graph, pictures, subject_of
from tests.encoders.tiny import tiny_base


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder of two layers with a head, as one graph."""
    import spox
    import spox.opset.ai.onnx.v21 as op

    from headway.encoders.exporting import base_model, pooled_columns
    from headway.encoders.reading import token_feed, tokenizer_files
    from headway.package.constants import Constants

    base = tiny_base(tmp_path_factory.mktemp("base"))
    feed, constants = token_feed(base, "text"), Constants()
    pair = tuple(spox.argument(spox.Tensor(np.int64, ("rows", None))) for _ in range(2))
    head = np.random.default_rng(0).normal(size=(32, 5)).astype(np.float32)
    outputs = op.softmax(op.matmul(pooled_columns(base_model(base), [pair], constants), op.const(head)), axis=1)
    inputs = dict(zip((f"{feed.name}.ids", f"{feed.name}.mask"), pair, strict=True))
    return Graph(constants.build(inputs, {"probabilities": outputs}), (feed,), tokenizer_files(base))


TEXTS = {"text": ["the room was awful", "lovely", "the clean good room", ""]}


def test_a_graph_that_was_read_and_written_answers_as_before(encoder):
    again = Graph(write_blueprint(read_blueprint(encoder.onnx)), encoder.feeds, encoder.files)
    assert np.array_equal(open_graph(again).run(TEXTS), open_graph(encoder).run(TEXTS))


def test_torch_runs_a_graph_as_onnxruntime_does(encoder):
    import torch

    from headway.compression.pruning.executing import Executed
    from headway.compression.quantising.schemes import inputs_of

    network = Executed(read_blueprint(encoder.onnx))
    inputs = [torch.from_numpy(array) for array in inputs_of(encoder, TEXTS).values()]
    assert network(*inputs).exp().detach().numpy() == pytest.approx(open_graph(encoder).run(TEXTS), abs=1e-5)


def test_all_parts_of_an_encoder_are_found(encoder):
    blueprint = read_blueprint(encoder.onnx)
    heads, channels = find_heads(blueprint), find_channels(blueprint)
    assert [group.count for group in heads] == [4, 4]
    assert len(channels) == len(find_spans(blueprint)) == 2


def test_heads_that_are_zero_can_be_taken_out_without_a_trace(encoder):
    blueprint = read_blueprint(encoder.onnx)
    arrays, kept = dict(blueprint.arrays), []
    for group in find_heads(blueprint):
        name, axis = group.reader
        assert axis == 0
        arrays[name] = arrays[name].copy()
        arrays[name][group.block : 2 * group.block] = 0
        kept.append((group, np.array([0, 2, 3])))
    zeroed = type(blueprint)(blueprint.nodes, arrays, blueprint.model)
    whole, smaller = (
        Graph(write_blueprint(each), encoder.feeds, encoder.files) for each in (zeroed, cut(zeroed, kept))
    )
    assert len(smaller.onnx) < len(whole.onnx)
    assert open_graph(smaller).run(TEXTS) == pytest.approx(open_graph(whole).run(TEXTS), abs=1e-5)


def test_layers_are_also_taken_out_together_with_heads_and_channels(encoder, monkeypatch):
    monkeypatch.setattr("headway.compression.pruning.variants.WORTH", 0.0)
    frame = pl.DataFrame({"text": TEXTS["text"] * 15})
    subject = subject_of(encoder, frame)
    names = [variant.name for variant in pruned_variants(subject)]
    assert names == ["two thirds of the layers", "half of heads and channels"]
    (variant,) = pruned_variants(subject, deepest=True)
    assert variant.name == "two thirds of the layers, half of heads and channels"
    assert pruned_variants(subject_of(dense_graph(), numbers_frame(60)), deepest=True) == ()
    made = read_blueprint(variant.make(Clock()).graph.onnx)
    assert len(find_spans(made)) < len(find_spans(read_blueprint(encoder.onnx)))


def test_a_layer_is_left_out(encoder):
    blueprint = read_blueprint(encoder.onnx)
    smaller = Graph(write_blueprint(without(blueprint, find_spans(blueprint)[1])), encoder.feeds, encoder.files)
    assert open_graph(smaller).run(TEXTS).shape == (4, 5)
    assert len(smaller.onnx) < len(encoder.onnx)


def test_channels_that_are_zero_can_be_taken_out_without_a_trace():
    graph, rows = dense_graph(), numbers_frame(20).to_dict()
    blueprint = read_blueprint(graph.onnx)
    (group,) = find_channels(blueprint)
    assert group.count == HIDDEN
    arrays = dict(blueprint.arrays)
    arrays[group.reader[0]] = arrays[group.reader[0]].copy()
    arrays[group.reader[0]][::2] = 0
    zeroed = type(blueprint)(blueprint.nodes, arrays, blueprint.model)
    smaller = cut(zeroed, [(group, np.arange(1, HIDDEN, 2))])
    answers = [open_graph(Graph(write_blueprint(each), graph.feeds)).run(rows) for each in (zeroed, smaller)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)


def test_channels_of_convolutions_that_are_zero_can_be_taken_out_without_a_trace():
    graph, rows = picture_graph(), pictures(8)
    blueprint = read_blueprint(graph.onnx)
    groups = find_channels(blueprint)
    assert [group.count for group in groups] == [16, 32, 32]
    arrays, kept = dict(blueprint.arrays), []
    for group in groups:
        name, axis = group.reader
        arrays[name] = arrays[name].copy()
        np.moveaxis(arrays[name], axis, 0)[::2] = 0
        kept.append((group, np.arange(1, group.count, 2)))
    zeroed = type(blueprint)(blueprint.nodes, arrays, blueprint.model)
    answers = [open_graph(Graph(write_blueprint(each), graph.feeds)).run(rows) for each in (zeroed, cut(zeroed, kept))]
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)


@pytest.mark.slow
def test_training_makes_up_for_what_was_cut(monkeypatch):
    monkeypatch.setattr("headway.compression.pruning.variants.WORTH", 0.01)
    subject = subject_of(dense_graph(), numbers_frame(900))
    variant = pruned_variants(subject)[0]
    made = variant.make(Clock())
    assert len(made.graph.onnx) < 0.8 * len(subject.judged.onnx)
    expected = open_graph(subject.judged).run(subject.exam_columns).argmax(1)
    agreed = (open_graph(made.graph).run(subject.exam_columns).argmax(1) == expected).mean()
    assert agreed > 0.75
