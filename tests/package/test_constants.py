import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from headway.package.constants import LARGE, PREFIX, Constants
from headway.runtime.session import open_session

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(300, 80)).astype(np.float32)


def product(array, constants):
    x = spox.argument(spox.Tensor(np.float32, ("rows", array.shape[0])))
    return constants.build({"x": x}, {"y": op.matmul(x, constants.hold(array))})


def test_large_arrays_become_initializers_and_small_ones_stay():
    content = product(TABLE, Constants())
    model = onnx.load_model_from_string(content)
    assert [value.name for value in model.graph.input] == ["x"]
    assert [tensor.name.startswith(PREFIX) for tensor in model.graph.initializer] == [True]
    x = RANDOM.normal(size=(5, 300)).astype(np.float32)
    (answer,) = open_session(content, threads=1).run(None, {"x": x})
    np.testing.assert_allclose(answer, x @ TABLE, atol=1e-4)
    small = TABLE[:2, : LARGE // 4 // 8]
    assert Constants().hold(small[:, :2]).unwrap_tensor().shape == (2, 2)


def test_equal_arrays_are_kept_once_and_others_apart():
    constants = Constants()
    assert constants.hold(TABLE) is constants.hold(TABLE.copy())
    assert constants.hold(TABLE) is not constants.hold(TABLE.reshape(80, 300))
    assert constants.hold(TABLE) is not constants.hold(TABLE.view(np.int32))
    assert len(constants.arrays) == 3


def test_inlined_models_share_what_is_equal():
    constants = Constants()
    models = [product(table, Constants()) for table in (TABLE, TABLE, TABLE + 1)]
    x = spox.argument(spox.Tensor(np.float32, (None, 300)))
    answers = [constants.inline(model, {"x": x})["y"] for model in models]
    content = constants.build({"x": x}, {"y": op.sum(answers)})
    assert len(onnx.load_model_from_string(content).graph.initializer) == 2
    rows = RANDOM.normal(size=(3, 300)).astype(np.float32)
    (answer,) = open_session(content, threads=1).run(None, {"x": rows})
    np.testing.assert_allclose(answer, rows @ (3 * TABLE + 1), atol=1e-3)


def test_tensors_of_the_same_name_and_other_content_are_kept_apart():
    constants = Constants()
    models = [onnx.load_model_from_string(product(table, Constants())) for table in (TABLE, TABLE + 1)]
    models[1].graph.initializer[0].name = models[0].graph.initializer[0].name
    models[1].graph.node[0].input[1] = models[0].graph.initializer[0].name
    x = spox.argument(spox.Tensor(np.float32, (None, 300)))
    answers = [constants.inline(model.SerializeToString(), {"x": x})["y"] for model in models]
    content = constants.build({"x": x}, {"y": op.sub(answers[1], answers[0])})
    rows = np.ones((1, 300), np.float32)
    (answer,) = open_session(content, threads=1).run(None, {"x": rows})
    np.testing.assert_allclose(answer, np.full((1, 80), 300), rtol=1e-3)
