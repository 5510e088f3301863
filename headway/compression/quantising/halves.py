"""Large float32 weights stored in 16 bits, and widened where they are used.

A weight of a product is widened once, when the graph is opened; rows of a table are widened after they were looked up,
so that the table stays small in memory too. float16 has eight times the precision of bfloat16 and takes its place
wherever no weight leaves its range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.compression.quantising.contents import is_large

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

# The largest number of float16; below the least normal one, precision is lost.
LARGEST, LEAST = 65_504.0, 6.2e-5


def halved(model: ModelProto) -> ModelProto:
    """Return the model with its large float32 weights in 16 bits; its nodes compute in float32 as before."""
    from onnx import helper

    large = {tensor.name: tensor for tensor in model.graph.initializer if is_large(tensor)}
    looked_up = _tables(model, set(large))
    narrow = [_narrowed(tensor) for tensor in large.values()]
    nodes = [_widen(name + ":half", name) for name in large if name not in looked_up]
    for node in model.graph.node:
        nodes += _looked_up(node) if node.op_type == "Gather" and node.input[0] in looked_up else [node]
    rest = [tensor for tensor in model.graph.initializer if tensor.name not in large]
    graph = helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, [*rest, *narrow])
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _tables(model: ModelProto, large: set[str]) -> set[str]:
    """Return the weights that are looked up by `Gather` and used by nothing else."""
    gathered = {node.input[0] for node in model.graph.node if node.op_type == "Gather"} & large
    used = {
        name for node in model.graph.node for place, name in enumerate(node.input) if place or node.op_type != "Gather"
    }
    return gathered - used


def _narrowed(tensor: TensorProto) -> TensorProto:
    """Return a weight in float16, in bfloat16 where it leaves the range of float16."""
    from onnx import TensorProto, helper
    from onnx.numpy_helper import from_array, to_array

    array = to_array(tensor)
    name = tensor.name + ":half"
    if np.abs(array).max(initial=0.0) < LARGEST and np.median(np.abs(array)) >= LEAST:
        return from_array(array.astype(np.float16), name)
    # Round to nearest, ties to even, as the hardware does.
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    upper = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return helper.make_tensor(name, TensorProto.BFLOAT16, array.shape, upper.tobytes(), raw=True)


def _widen(narrow: str, wide: str) -> NodeProto:
    from onnx import TensorProto, helper

    return helper.make_node("Cast", [narrow], [wide], to=TensorProto.FLOAT)


def _looked_up(node: NodeProto) -> list[NodeProto]:
    """Return the nodes that look rows up in 16 bits and widen them."""
    from onnx import helper

    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    found = node.output[0] + ":half"
    inputs = [node.input[0] + ":half", node.input[1]]
    return [helper.make_node("Gather", inputs, [found], axis=axis), _widen(found, node.output[0])]
