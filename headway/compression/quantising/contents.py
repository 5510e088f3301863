"""What a graph holds, by what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

FLOAT = 1  # onnx.TensorProto.FLOAT, known before onnx is imported
# Smaller arrays are not worth the nodes around them.
SMALLEST = 4_096
_PRODUCTS = {"MatMul": 1, "Gemm": 1}
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})


@dataclass(frozen=True)
class Contents:
    """Megabytes (2^20) of large float32 arrays: weights of products and convolutions, tables looked up, and others."""

    products: float = 0.0
    tables: float = 0.0
    convolutions: float = 0.0
    others: float = 0.0

    @property
    def total(self) -> float:
        """Return the megabytes of all large float32 arrays."""
        return self.products + self.tables + self.convolutions + self.others


def contents_of(onnx: bytes) -> Contents:
    """Return what a serialised model holds."""
    model = lifted(onnx)
    kinds = _kinds(model)
    totals = dict.fromkeys(("products", "tables", "convolutions", "others"), 0.0)
    for tensor in model.graph.initializer:
        if is_large(tensor):
            totals[kinds.get(tensor.name, "others")] += 4 * int(np.prod(tensor.dims)) / 2**20
    return Contents(**totals)


def is_narrow(onnx: bytes) -> bool:
    """Tell whether most of a serialised model's weights take fewer bits than 32 already."""
    return contents_of(onnx).total * 2**20 < len(onnx) / 2


def lifted(onnx: bytes) -> ModelProto:
    """Return a serialised model with the tensors of its `Constant` nodes as initializers."""
    from onnx import helper, load_model_from_string

    model = load_model_from_string(onnx)
    nodes, tensors = [], list(model.graph.initializer)
    for node in model.graph.node:
        value = next((each.t for each in node.attribute if each.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            value.name = node.output[0]
            tensors.append(value)
        else:
            nodes.append(node)
    graph = helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, tensors)
    return helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version, functions=model.functions
    )


def is_large(tensor: TensorProto) -> bool:
    """Tell whether a tensor is float32 and worth the trouble."""
    return tensor.data_type == FLOAT and int(np.prod(tensor.dims)) >= SMALLEST


def _kinds(model: ModelProto) -> dict[str, str]:
    """Return what each initializer is used for, by its name."""
    kinds: dict[str, str] = {}
    for node in model.graph.node:
        if node.op_type == "Gather":
            kinds[node.input[0]] = "tables"
        elif node.op_type in _PRODUCTS and len(node.input) > 1:
            kinds[node.input[1]] = "products"
        elif node.op_type in _CONVOLUTIONS:
            kinds[node.input[1]] = "convolutions"
    return kinds
