import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from headway.compression.quantising.halves import halved
from headway.runtime.session import open_session


def scaled_product(weight):
    nodes = [helper.make_node("MatMul", ["x", "weight"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", len(weight)])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", weight.shape[1]])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [from_array(weight, "weight")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_weights_beyond_the_range_of_float16_become_bfloat16():
    weight = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    x = np.ones((3, 64), np.float32)
    for factor, kind, near in ((1.0, TensorProto.FLOAT16, 2e-3), (1e6, TensorProto.BFLOAT16, 2e-2)):
        model = halved(scaled_product(weight * np.float32(factor)))
        assert {tensor.data_type for tensor in model.graph.initializer} == {kind}
        found = open_session(model.SerializeToString(), threads=1).run(None, {"x": x})[0]
        expected = x @ (weight * np.float32(factor))
        assert np.abs(found - expected).max() < near * np.abs(expected).max()


def test_small_weights_stay_as_they_are():
    model = halved(scaled_product(np.ones((8, 8), np.float32)))
    assert onnx.load_model_from_string(model.SerializeToString()).graph.node[0].op_type == "MatMul"
