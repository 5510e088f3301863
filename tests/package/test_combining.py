import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v21 as op

from headway.errors import PackageError
from headway.package.combining import calibrate, combine, side_by_side
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.runtime.manifest import CategoryFeed
from tests.runtime.graphs import built, number_graph, text_graph, value_graph

COLUMNS = {"review": ["good", "so bad", "", "很好"], "a": [1, None, 3, -2], "b": [0.5, 2, None, 1]}


def answers(graph):
    return open_graph(graph).run(COLUMNS)


def category_graph():
    cells = spox.argument(spox.Tensor(np.str_, ("rows", 1)))
    ids = ml.label_encoder(cells, keys_strings=["good"], values_floats=[1.0], default_float=0.0)
    probabilities = op.concat([ids, op.sub(op.const(np.float32(1)), ids)], axis=1)
    return built({"categories": cells}, probabilities, (CategoryFeed("categories", ("review",)),))


def test_an_ensemble_answers_the_weighted_mean():
    members = [text_graph(2), text_graph(2, seed=1), number_graph(), category_graph()]
    together = combine(members, [2, 1, 1, 4])
    expected = sum(weight * answers(member) for weight, member in zip([2, 1, 1, 4], members, strict=True)) / 8
    np.testing.assert_allclose(answers(together), expected, atol=1e-6)
    assert [feed.name for feed in together.feeds] == ["chars:review", "numbers", "categories"]


def test_an_ensemble_of_one_and_of_ensembles():
    np.testing.assert_allclose(answers(combine([number_graph()], [3])), answers(number_graph()), atol=1e-6)
    inner = combine([text_graph(2), number_graph()], [1, 1])
    nested = combine([inner, text_graph(2)], [1, 1])
    expected = (answers(inner) + answers(text_graph(2))) / 2
    np.testing.assert_allclose(answers(nested), expected, atol=1e-6)


def heavy_graph(table, seed):
    """Return a graph whose hidden layer has the weights `table`, 64 kB or more, and whose last one is its own."""
    constants = Constants()
    x = spox.argument(spox.Tensor(np.float32, ("rows", 2)))
    hidden = op.tanh(op.matmul(op.matmul(x, constants.hold(table)), constants.hold(table.T.copy())))
    last = np.random.default_rng(seed).normal(size=(2, 3)).astype(np.float32)
    probabilities = op.softmax(op.matmul(hidden, op.const(last)))
    return Graph(constants.build({"numbers": x}, {"probabilities": probabilities}), number_graph().feeds)


def test_large_weights_of_several_members_are_held_once():
    table = np.random.default_rng(0).normal(size=(2, 10_000)).astype(np.float32)
    members = [heavy_graph(table, 1), heavy_graph(table, 2), heavy_graph(table + 1, 3)]
    alone = len(members[0].onnx)
    two, three = combine(members[:2], [1, 3]), combine(members, [1, 1, 2])
    assert len(two.onnx) < alone + 5_000
    assert len(three.onnx) < 2 * alone + 5_000
    assert len(calibrate(three, temperature=2).onnx) < len(three.onnx) + 5_000
    columns = {"a": [0.1, -0.2, 0.05], "b": [0.2, 0.1, -0.3]}
    first, second, third = (open_graph(member).run(columns) for member in members)
    np.testing.assert_allclose(open_graph(two).run(columns), (first + 3 * second) / 4, atol=1e-6)
    np.testing.assert_allclose(open_graph(three).run(columns), (first + second + 2 * third) / 4, atol=1e-6)


def test_values_are_averaged_too():
    np.testing.assert_allclose(
        open_graph(combine([value_graph(slope=2), value_graph(slope=4)], [1, 1])).run({"a": [1, 2]}), [[3], [6]]
    )


@pytest.mark.parametrize(
    ("members", "weights"),
    [
        ([], []),
        ([number_graph()], [0]),
        ([number_graph()], [1, 1]),
        ([number_graph(), value_graph()], [1, 1]),
        ([number_graph(("a", "b")), number_graph(("b", "a"))], [1, 1]),
    ],
)
def test_what_does_not_fit_together_is_refused(members, weights):
    with pytest.raises(PackageError):
        combine(members, weights)


def test_files_of_one_name_must_be_one_file():
    first, second = (
        Graph(number_graph().onnx, number_graph().feeds, {"tokenizer.json": content}) for content in (b"1", b"2")
    )
    assert combine([first, first], [1, 1]).files == {"tokenizer.json": b"1"}
    with pytest.raises(PackageError, match=r"tokenizer\.json"):
        combine([first, second], [1, 1])


@pytest.mark.parametrize("bias", [None, np.array([0.5, -0.5, 0.0])])
def test_calibration_is_a_softmax_of_scaled_logs(bias):
    before = answers(text_graph()).astype(np.float64)
    logits = np.log(before) / 2 + (0 if bias is None else bias)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers(calibrate(text_graph(), temperature=2, bias=bias)), expected, atol=1e-6)


def test_certain_answers_stay_finite_when_calibrated():
    sure = calibrate(number_graph(weights=(1e4, 0)), temperature=0.5)
    assert np.isfinite(answers(sure)).all()


def test_a_step_for_another_task_is_refused():
    with pytest.raises(PackageError, match="does not fit"):
        calibrate(value_graph(), temperature=1)
    with pytest.raises(PackageError, match="positive"):
        calibrate(number_graph(), temperature=0)


def test_graphs_of_one_target_each_stand_side_by_side():
    graphs = {"mood": text_graph(3), "price": value_graph(), "side": number_graph(name="pair")}
    together = side_by_side(graphs, {"mood": 3, "price": 1, "side": 2})
    opened = open_graph(together)
    assert opened.outputs == ("probabilities:mood", "values:price", "probabilities:side")
    assert opened.widths == (3, 1, 2)
    expected = np.concatenate([answers(graph) for graph in graphs.values()], axis=1)
    np.testing.assert_allclose(opened.run(COLUMNS), expected, atol=1e-6)
    assert opened.run({"review": [], "a": [], "b": []}).shape == (0, 6)


def test_what_targets_have_in_common_is_held_once():
    alone = text_graph(30)
    together = side_by_side({"one": alone, "two": alone}, {"one": 30, "two": 30})
    assert len(together.onnx) < 1.2 * len(alone.onnx)


def test_one_of_several_outputs_is_calibrated_and_the_others_stay():
    several = side_by_side({"mood": text_graph(3), "price": value_graph()}, {"mood": 3, "price": 1})
    before, after = answers(several), answers(calibrate(several, temperature=2, output="probabilities:mood"))
    logits = np.log(before[:, :3]) / 2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after[:, :3], expected, atol=1e-6)
    np.testing.assert_array_equal(after[:, 3], before[:, 3])


def test_an_ensemble_of_several_targets_is_the_mean_of_each():
    pair = [
        side_by_side({"mood": text_graph(3, seed=seed), "price": value_graph(slope=seed + 1)}, {"mood": 3, "price": 1})
        for seed in (0, 1)
    ]
    together = combine(pair, [1, 3])
    np.testing.assert_allclose(answers(together), (answers(pair[0]) + 3 * answers(pair[1])) / 4, atol=1e-6)
