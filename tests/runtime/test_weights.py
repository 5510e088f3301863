import contextlib

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from headway.errors import PackageError
from headway.runtime.session import open_session
from headway.runtime.weights import lighten, weigh_down
from tests.runtime.graphs import number_graph, text_graph
from tests.runtime.test_protobuf import model

TABLE = np.random.default_rng(0).normal(size=(1, 20_000)).astype(np.float32)


def large(*, constant, array=TABLE):
    tensor = numpy_helper.from_array(array, "w")
    nodes = [
        helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["f"], ["s"], keepdims=0),
        helper.make_node("Mul", ["x", "s"], ["values"]),
    ]
    if constant:
        return model(helper.make_node("Constant", [], ["w"], value=tensor), *nodes).SerializeToString()
    return model(*nodes, initializers=[tensor]).SerializeToString()


def plain(content, arrays):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, arrays)[0]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int32, np.int64, np.int8, np.uint8])
def test_a_model_without_its_weights_answers_the_same(constant, kind):
    array = (np.arange(100_000) % 100).reshape(10, -1).astype(kind)
    content = large(constant=constant, array=array)
    light, tensors = lighten(content)
    assert len(light) < 1000
    np.testing.assert_array_equal(tensors["w"], array)
    ones = {"x": np.ones((2, 1), np.float32)}
    np.testing.assert_array_equal(open_session(content, threads=1).run(None, ones)[0], plain(content, ones))


def test_the_weights_are_views_and_nothing_small_is_moved():
    content = text_graph(30).onnx
    light, tensors = lighten(content)
    assert [array.shape for array in tensors.values()] == [(4096, 30)]
    assert all(not array.flags.owndata for array in tensors.values())
    assert len(light) < 2000
    onnx.load_model_from_string(light)
    assert lighten(number_graph().onnx) == (number_graph().onnx, {})


def test_weights_of_other_forms_stay_inside():
    words = helper.make_tensor("w", TensorProto.STRING, [20_000], [b"word"] * 20_000)
    floats = helper.make_tensor("v", TensorProto.FLOAT, [20_000], TABLE.ravel().tolist())
    content = model(helper.make_node("Identity", ["x"], ["values"]), initializers=[words, floats]).SerializeToString()
    assert lighten(content) == (content, {})


@settings(max_examples=200)
@given(st.integers(0, 200), st.booleans(), st.binary(min_size=1, max_size=3), st.booleans())
def test_damage_around_the_weights_is_refused_or_harmless(position, at_end, junk, constant):
    content = large(constant=constant)
    position = len(content) - 1 - position if at_end else position
    content = content[:position] + junk + content[position + len(junk) :]
    with contextlib.suppress(PackageError):
        open_session(content, threads=1)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int32, np.int64, np.int8, np.uint8])
def test_weights_put_in_are_those_taken_out(kind):
    array = (np.arange(150_000) % 100).reshape(3, 100, -1).astype(kind)
    light, tensors = lighten(large(constant=False, array=array))
    parsed = onnx.load_model_from_string(light)
    del parsed.graph.initializer[:]
    whole = onnx.load_model_from_string(weigh_down(parsed.SerializeToString(), {**tensors, "other": array[:, ::2].T}))
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in whole.graph.initializer}
    np.testing.assert_array_equal(found["w"], array)
    np.testing.assert_array_equal(found["other"], array[:, ::2].T)
    assert found["w"].dtype == kind
    assert [node.op_type for node in whole.graph.node] == ["Cast", "ReduceSum", "Mul"]
