"""Weights of products in four bits: `MatMulNBits` of onnxruntime, blocks of weights with a scale each.

Rounding to nearest over blocks of 32 (as in GGML's Q4_0 and Dettmers and Zettlemoyer 2023, section 3); the product
itself is computed with eight-bit activations where that is faster (accuracy level 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.compression.quantising.contents import is_large

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

DOMAIN = "com.microsoft"
BLOCK = 32
_ACCURACY = 4


def with_four_bit_products(model: ModelProto) -> ModelProto:
    """Return the model with the large float32 weights `[in, out]` of its products in four bits."""
    from onnx import helper
    from onnx.numpy_helper import to_array

    large = {tensor.name: tensor for tensor in model.graph.initializer if is_large(tensor) and len(tensor.dims) == 2}
    nodes: list[NodeProto] = []
    added: dict[str, TensorProto] = {}
    for node in model.graph.node:
        if not _is_product(node, set(large)):
            nodes.append(node)
            continue
        flipped = any(each.name == "transB" and each.i for each in node.attribute)
        weight = to_array(large[node.input[1]])
        nodes += _product(node, weight.T if flipped else weight, added)
    used = {name for node in nodes for name in node.input}
    tensors = [tensor for tensor in [*model.graph.initializer, *added.values()] if tensor.name in used]
    graph = helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, tensors)
    opsets = {opset.domain: opset.version for opset in model.opset_import} | {DOMAIN: 1}
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=model.ir_version)


def pack(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 `[out, blocks, BLOCK / 2]`, two weights a byte, the first in the lower half, and float32 scales.

    `weight`: float32 `[in, out]`; scales are `[out * blocks]`. A weight is `(number - 8) * scale`.
    """
    inputs, outputs = weight.shape
    blocks = -(-inputs // BLOCK)
    padded = np.zeros((outputs, blocks * BLOCK), np.float32)
    padded[:, :inputs] = weight.T
    parts = padded.reshape(outputs, blocks, BLOCK)
    # The weight of the largest size becomes -8 exactly, the one number more that the lower half has.
    places = np.abs(parts).argmax(axis=2)[..., None]
    scale = (np.take_along_axis(parts, places, axis=2)[..., 0] / -8).astype(np.float32)
    safe = np.where(scale == 0, 1, scale)
    numbers = np.clip(np.rint(parts / safe[..., None]) + 8, 0, 15).astype(np.uint8)
    return numbers[..., ::2] | (numbers[..., 1::2] << 4), scale.reshape(-1)


def _is_product(node: NodeProto, large: set[str]) -> bool:
    if node.op_type not in {"MatMul", "Gemm"} or node.input[1] not in large:
        return False
    return all(
        each.f == 1.0 if each.name in {"alpha", "beta"} else each.name == "transB" or each.i == 0
        for each in node.attribute
    )


def _product(node: NodeProto, weight: np.ndarray, added: dict[str, TensorProto]) -> list[NodeProto]:
    """Return the nodes of one product; its packed weight goes into `added`."""
    from onnx import helper
    from onnx.numpy_helper import from_array

    name, output = node.input[1], node.output[0]
    if name + ":int4" not in added:
        packed, scale = pack(weight)
        added[name + ":int4"] = from_array(packed, name + ":int4")
        added[name + ":scale4"] = from_array(scale, name + ":scale4")
    bias = node.input[2] if len(node.input) > 2 else ""
    raw = helper.make_node(
        "MatMulNBits",
        [node.input[0], name + ":int4", name + ":scale4"],
        [output + ":raw" if bias else output],
        domain=DOMAIN,
        K=weight.shape[0],
        N=weight.shape[1],
        bits=4,
        block_size=BLOCK,
        accuracy_level=_ACCURACY,
    )
    return [raw, helper.make_node("Add", [output + ":raw", bias], [output])] if bias else [raw]
