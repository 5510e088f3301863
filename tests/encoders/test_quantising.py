import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from headway.encoders.quantising import LOW, _fixed_step, quantise_weight, quantised
from headway.runtime.session import open_session

WIDTH, INNER = 128, 256
RANDOM = np.random.default_rng(0)


def feed_forward():
    """Return a layer norm, a product that widens, GELU, and a product that narrows; rows of 128 in and out."""
    arrays = {
        "gain": np.ones(WIDTH, np.float32),
        "shift": np.zeros(WIDTH, np.float32),
        "up": RANDOM.normal(0, 0.1, (WIDTH, INNER)).astype(np.float32),
        "up.bias": RANDOM.normal(0, 0.1, INNER).astype(np.float32),
        "down": RANDOM.normal(0, 0.1, (INNER, WIDTH)).astype(np.float32),
        "down.bias": RANDOM.normal(0, 0.1, WIDTH).astype(np.float32),
    }
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gain", "shift"], ["even"], axis=-1),
        helper.make_node("MatMul", ["even", "up"], ["wide"]),
        helper.make_node("BiasGelu", ["wide", "up.bias"], ["bent"], domain="com.microsoft"),
        helper.make_node("Gemm", ["bent", "down", "down.bias"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", WIDTH]) for name in ("x", "y")]
    tensors = [from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "layer", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def rows(count, seed=1):
    return np.random.default_rng(seed).normal(0, 3, (count, WIDTH)).astype(np.float32)


def answers(model, x):
    return open_session(model.SerializeToString(), threads=1).run(["y"], {"x": x})[0]


@pytest.mark.parametrize("activations", ["dynamic", "static"])
def test_the_answers_stay_and_a_row_knows_nothing_of_its_neighbours(activations):
    model = feed_forward()
    eight = quantised(model, {"x": rows(64)}, activations=activations)
    x = rows(40, seed=2)
    exact, found = answers(model, x), answers(eight, x)
    assert np.square(found - exact).sum() < 1.5e-3 * np.square(exact - exact.mean(0)).sum()
    alone = np.concatenate([answers(eight, row[None]) for row in x])
    np.testing.assert_array_equal(alone, found)
    assert len(eight.SerializeToString()) < 0.3 * len(model.SerializeToString())


def test_each_product_measures_its_rows_unless_their_steps_are_fixed():
    kinds = [node.op_type for node in quantised(feed_forward(), {"x": rows(64)}).graph.node]
    assert (kinds.count("ReduceMax"), kinds.count("QuantizeLinear")) == (2, 2)
    fixed = [node.op_type for node in quantised(feed_forward(), {"x": rows(64)}, activations="static").graph.node]
    assert (fixed.count("ReduceMax"), fixed.count("QuantizeLinear")) == (0, 2)


def test_a_fixed_step_is_the_one_of_least_error_for_rows_with_a_long_tail():
    values = RANDOM.standard_t(3, (200, 64)).astype(np.float32)
    step = _fixed_step(values, 128)

    def error(step):
        return np.square(np.clip(np.rint(values / step), -128, 127) * step - values).sum()

    largest = np.abs(values).max() / 127
    assert step < largest
    assert error(step) < error(largest)
    assert _fixed_step(np.zeros((2, 2), np.float32), LOW) > 0


def test_no_two_neighbouring_weights_saturate_sixteen_bits():
    weight, scale = quantise_weight(RANDOM.normal(size=(65, 32)).astype(np.float32))
    pairs = np.vstack([weight, np.zeros((1, 32), np.int8)]).astype(int).reshape(-1, 2, 32)
    assert 255 * np.maximum(pairs, 0).sum(1).max() <= 2**15 - 1 + 255
    assert 255 * np.maximum(-pairs, 0).sum(1).max() <= 2**15 + 255
    assert scale.shape == (32,)
