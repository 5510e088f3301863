import contextlib

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from headway.errors import PackageError
from headway.runtime.protobuf import check_model
from tests.runtime.graphs import number_graph

FLOATS = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1])
ANSWER = helper.make_tensor_value_info("values", TensorProto.FLOAT, ["rows", 1])


def model(*nodes, initializers=(), opsets=(("", 21),), sparse=()):
    graph = helper.make_graph(nodes, "g", [FLOATS], [ANSWER], initializer=initializers, sparse_initializer=sparse)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*pair) for pair in opsets], ir_version=10)


def outside(name="w"):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def test_ordinary_models_pass():
    check_model(number_graph().onnx)
    words = helper.make_tensor("location", TensorProto.STRING, [1], [b"location"])
    check_model(model(helper.make_node("Identity", ["x"], ["values"]), initializers=[words]).SerializeToString())


def test_foreign_operators_are_named():
    node = helper.make_node("Steal", ["x"], ["values"], domain="evil.corp")
    with pytest.raises(PackageError, match=r"evil\.corp::Steal"):
        check_model(model(node, opsets=[("", 21), ("evil.corp", 1)]).SerializeToString())


def test_foreign_operators_in_subgraphs_are_named():
    inner = helper.make_graph([helper.make_node("Steal", ["x"], ["y"], domain="evil")], "inner", [], [ANSWER])
    node = helper.make_node("If", ["x"], ["values"], then_branch=inner, else_branch=inner)
    with pytest.raises(PackageError, match="evil::Steal"):
        check_model(model(node, opsets=[("", 21), ("evil", 1)]).SerializeToString())


def test_data_outside_the_model_is_refused():
    node = helper.make_node("Mul", ["x", "w"], ["values"])
    with pytest.raises(PackageError, match="other files"):
        check_model(model(node, initializers=[outside()]).SerializeToString())
    with pytest.raises(PackageError, match="other files"):
        check_model(model(helper.make_node("Constant", [], ["values"], value=outside())).SerializeToString())
    sparse = onnx.SparseTensorProto(values=outside(), indices=helper.make_tensor("i", TensorProto.INT64, [1], [0]))
    with pytest.raises(PackageError, match="other files"):
        check_model(model(node, sparse=[sparse]).SerializeToString())


@given(st.binary(max_size=50))
def test_junk_is_refused_or_passed_on_but_never_breaks(junk):
    with contextlib.suppress(PackageError):
        check_model(junk)


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_damaged_models_never_break_the_walk(position, junk):
    whole = model(helper.make_node("Mul", ["x", "w"], ["values"]), initializers=[outside()]).SerializeToString()
    position %= len(whole)
    with contextlib.suppress(PackageError):
        check_model(whole[:position] + junk + whole[position + len(junk) :])


def test_a_very_deep_nest_is_no_trouble():
    deep = b""
    for _ in range(3000):
        deep = b"\x0a" + bytes(_varint(len(deep))) + deep
    with contextlib.suppress(PackageError):
        check_model(b"\x3a" + bytes(_varint(len(deep))) + deep + b"location")
    assert np.array(deep).size == 1


def _varint(number):
    while number > 127:
        yield number & 127 | 128
        number >>= 7
    yield number
