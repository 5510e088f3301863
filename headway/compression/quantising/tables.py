"""Tables of float32 rows as int8 rows with a scale each, which are multiplied after the rows were looked up.

The sum of a text's rows (n-grams) is one product of the scales with the rows, which costs no more than the sum did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headway.compression.quantising.contents import is_large

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto


def with_narrow_tables(model: ModelProto) -> ModelProto:
    """Return the model with its large float32 tables of two axes, looked up by row, as int8 with a scale a row."""
    from onnx import helper
    from onnx.numpy_helper import to_array

    tables = {tensor.name: tensor for tensor in model.graph.initializer if is_large(tensor) and len(tensor.dims) == 2}
    used_otherwise = {
        name for node in model.graph.node for place, name in enumerate(node.input) if not (place == 0 and _by_row(node))
    }
    tables = {name: tensor for name, tensor in tables.items() if name not in used_otherwise}
    sums = _sums_of_rows(model, set(tables))
    replaced = {id(node) for _, node in sums.values()}
    nodes: list[NodeProto] = []
    arrays: dict[str, np.ndarray] = {"narrow:axis": np.array([1])}
    for node in model.graph.node:
        if id(node) in replaced:
            continue
        if not _by_row(node) or node.input[0] not in tables:
            nodes.append(node)
            continue
        if node.input[0] + ":int8" not in arrays:
            arrays |= _narrowed(node.input[0], to_array(tables[node.input[0]]))
        summed = sums.get(id(node))
        nodes += _look_up(node) if summed is None else _look_up_and_sum(node, summed[1].output[0])
    used = {name for node in nodes for name in node.input}
    rest = [tensor for tensor in model.graph.initializer if tensor.name in used]
    own = [tensor for tensor in _tensors(arrays) if tensor.name in used]
    graph = helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, [*rest, *own])
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _by_row(node: NodeProto) -> bool:
    return node.op_type == "Gather" and all(each.i == 0 for each in node.attribute if each.name == "axis")


def _sums_of_rows(model: ModelProto, tables: set[str]) -> dict[int, tuple[NodeProto, NodeProto]]:
    """Return look-ups whose rows are only summed over the second axis, with the sum, by the identity of the look-up."""
    from onnx.numpy_helper import to_array

    users: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    constants = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == 7}
    outputs = {output.name for output in model.graph.output}
    found: dict[int, tuple[NodeProto, NodeProto]] = {}
    for node in model.graph.node:
        if not _by_row(node) or node.input[0] not in tables or node.output[0] in outputs:
            continue
        using = users.get(node.output[0], [])
        if len(using) != 1 or using[0].op_type != "ReduceSum" or len(using[0].input) < 2:
            continue
        axes = constants.get(using[0].input[1])
        keeps = next((each.i for each in using[0].attribute if each.name == "keepdims"), 1)
        if axes is not None and to_array(axes).reshape(-1).tolist() == [1] and not keeps:
            found[id(node)] = (node, using[0])
    return found


def _narrowed(name: str, table: np.ndarray) -> dict[str, np.ndarray]:
    """Return int8 rows and a float32 scale for each."""
    scale = (np.maximum(np.abs(table).max(1), 1e-12) / 127).astype(np.float32)
    return {name + ":int8": np.rint(table / scale[:, None]).astype(np.int8), name + ":scale": scale}


def _look_up(node: NodeProto) -> list[NodeProto]:
    """Return nodes that look rows up and scale them, `[..., width]`."""
    output = node.output[0]
    return [
        *_rows_and_scales(node),
        _node("Unsqueeze", [output + ":scales", "narrow:last"], output + ":column"),
        _node("Mul", [output + ":wide", output + ":column"], output),
    ]


def _look_up_and_sum(node: NodeProto, summed: str) -> list[NodeProto]:
    """Return nodes that look rows up, `[rows, n, width]`, and sum them by their scales, `[rows, width]`."""
    output = node.output[0]
    return [
        *_rows_and_scales(node),
        _node("Unsqueeze", [output + ":scales", "narrow:axis"], output + ":line"),
        _node("MatMul", [output + ":line", output + ":wide"], output + ":sum"),
        _node("Squeeze", [output + ":sum", "narrow:axis"], summed),
    ]


def _rows_and_scales(node: NodeProto) -> list[NodeProto]:
    from onnx import TensorProto

    table, ids, output = node.input[0], node.input[1], node.output[0]
    return [
        _node("Gather", [table + ":int8", ids], output + ":8"),
        _node("Cast", [output + ":8"], output + ":wide", to=TensorProto.FLOAT),
        _node("Gather", [table + ":scale", ids], output + ":scales"),
    ]


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    from onnx import helper

    return helper.make_node(operator, inputs, [output], **attributes)


def _tensors(arrays: dict[str, np.ndarray]) -> list[TensorProto]:
    from onnx.numpy_helper import from_array

    return [from_array(array, name) for name, array in {**arrays, "narrow:last": np.array([-1])}.items()]
