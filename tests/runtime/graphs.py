"""Small graphs for the tests of the runtime and the package."""

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from headway.package.graph import Graph
from headway.runtime.manifest import CharacterFeed, NumberFeed


def text_graph(labels=3, *, seed=0, name="chars:review"):
    """Sum a random vector for each character, then softmax: order and padding do not change the answer."""
    table = np.random.default_rng(seed).normal(size=(4096, labels)).astype(np.float32)
    table[0] = 0
    codes = spox.argument(spox.Tensor(np.int32, ("rows", "length")))
    ids = op.mod(codes, op.const(np.int32(4096)))
    logits = op.reduce_sum(op.gather(op.const(table), ids), op.const(np.array([1])), keepdims=0)
    return built({name: codes}, op.softmax(logits), (CharacterFeed(name, ("review",)),))


def number_graph(columns=("a", "b"), *, weights=(1.0, -1.0), name="numbers"):
    """Two labels, the logit of the second is a weighted sum; missing counts as 0."""
    table = np.stack([np.zeros(len(columns)), weights], axis=1).astype(np.float32)
    cells = spox.argument(spox.Tensor(np.float32, ("rows", len(columns))))
    filled = op.where(op.isnan(cells), op.const(np.float32(0)), cells)
    return built({name: cells}, op.softmax(op.matmul(filled, op.const(table))), (NumberFeed(name, tuple(columns)),))


def value_graph(*, slope=2.0):
    """Regression: slope times the number."""
    cells = spox.argument(spox.Tensor(np.float32, ("rows", 1)))
    return built(
        {"numbers": cells}, op.mul(cells, op.const(np.float32(slope))), (NumberFeed("numbers", ("a",)),), out="values"
    )


def built(inputs, output, feeds, *, out="probabilities", files=None):
    return Graph(spox.build(inputs, {out: output}).SerializeToString(), feeds, files or {})
