import numpy as np
import pytest

from headway.runtime.manifest import InputColumn, Manifest, NumberFeed


@pytest.fixture(scope="session")
def model():
    """A real model of two numbers: the answer is 好评 where the sum is above 0, with a sigmoid's confidence."""
    from headway.runtime.archive import MODEL
    from headway.runtime.model import assemble

    manifest = Manifest(
        name="tiny",
        task="classify",
        target="标签",
        inputs=(InputColumn("a", "number"), InputColumn("b", "number")),
        feeds=(NumberFeed("numbers", ("a", "b")),),
        labels=("差评", "好评"),
    )
    return assemble(manifest, {MODEL: sum_graph()})


def sum_graph():
    import spox
    import spox.opset.ai.onnx.v21 as op

    numbers = spox.argument(spox.Tensor(np.float32, ("rows", 2)))
    known = op.where(op.isnan(numbers), op.const(np.float32(0)), numbers)
    weights = op.const(np.array([[-1.0, 1.0], [-1.0, 1.0]], dtype=np.float32))
    probabilities = op.softmax(op.matmul(known, weights), axis=1)
    return spox.build({"numbers": numbers}, {"probabilities": probabilities}).SerializeToString()
