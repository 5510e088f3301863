import numpy as np
import pytest
from onnx import TensorProto, helper

from headway.errors import PackageError
from headway.runtime.manifest import NumberFeed
from headway.runtime.session import check_signature, cores, open_session, refusal, run
from tests.runtime.graphs import number_graph
from tests.runtime.test_protobuf import ANSWER, FLOATS, model


@pytest.mark.parametrize("operator", ["NoSuchThing", "NoSuchThing2"])
def test_an_unknown_standard_operator_is_named(operator):
    broken = model(helper.make_node(operator, ["x"], ["values"])).SerializeToString()
    with pytest.raises(PackageError, match=f"'{operator}'|::{operator}'"):
        open_session(broken, threads=1)


def test_an_unknown_microsoft_operator_is_named():
    node = helper.make_node("Teleport", ["x"], ["values"], domain="com.microsoft")
    with pytest.raises(PackageError, match=r"com\.microsoft::Teleport"):
        open_session(model(node, opsets=[("", 21), ("com.microsoft", 1)]).SerializeToString(), threads=1)


@pytest.mark.parametrize("junk", [b"", b"junk", number_graph().onnx[:-40]])
def test_junk_is_refused_in_words(junk):
    with pytest.raises(PackageError, match="graph"):
        open_session(junk, threads=1)


def test_outputs_must_be_probabilities_or_values():
    other = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["rows", 1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["scores"])], "g", [FLOATS], [other])
    session = open_session(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString(),
        threads=1,
    )
    with pytest.raises(PackageError, match="wrong outputs"):
        check_signature(session, [NumberFeed("x", ("a",))])
    assert ANSWER.name == "values"


def test_a_graph_that_fails_says_so():
    session = open_session(number_graph().onnx, threads=1)
    with pytest.raises(PackageError, match="failed on these rows"):
        run(session, "probabilities", {"numbers": np.zeros((1, 7), np.float32)})


def test_the_machine_has_cores_and_refusals_stay_short():
    assert cores() >= 1
    assert len(str(refusal(RuntimeError("x" * 9999)))) < 500
