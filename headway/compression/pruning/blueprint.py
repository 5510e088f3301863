"""A graph as nodes and arrays that can be cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.compression.quantising.contents import lifted

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


@dataclass(frozen=True)
class Blueprint:
    """The nodes of a graph in order, its constant arrays by name, and the model they were taken from."""

    nodes: tuple[NodeProto, ...]
    arrays: Mapping[str, np.ndarray]
    model: ModelProto

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of the graph's inputs."""
        return tuple(value.name for value in self.model.graph.input)

    @property
    def output(self) -> str:
        """Return the name of the graph's one output."""
        return str(self.model.graph.output[0].name)

    def users(self, name: str) -> list[NodeProto]:
        """Return the nodes that read a tensor."""
        return [node for node in self.nodes if name in node.input]


def read_blueprint(onnx: bytes) -> Blueprint:
    """Return a serialised model as nodes and arrays."""
    from onnx.numpy_helper import to_array

    model = lifted(onnx)
    arrays = {tensor.name: to_array(tensor) for tensor in model.graph.initializer}
    return Blueprint(tuple(model.graph.node), arrays, model)


def write_blueprint(blueprint: Blueprint) -> bytes:
    """Return the serialised model, without the nodes and arrays that nothing reads any more."""
    from onnx import helper
    from onnx.numpy_helper import from_array

    graph = blueprint.model.graph
    nodes = needed_nodes(blueprint)
    used = {name for node in nodes for name in node.input}
    tensors = [
        from_array(np.asarray(array, order="C"), name) for name, array in blueprint.arrays.items() if name in used
    ]
    made = helper.make_graph(nodes, graph.name, graph.input, graph.output, tensors)
    model = helper.make_model(made, opset_imports=blueprint.model.opset_import, ir_version=blueprint.model.ir_version)
    return bytes(model.SerializeToString())


def needed_nodes(blueprint: Blueprint) -> list[NodeProto]:
    """Return the nodes that the output depends on, in order."""
    wanted, kept = {blueprint.output}, []
    for node in reversed(blueprint.nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def attributes_of(node: NodeProto) -> dict[str, object]:
    """Return the attributes of a node as plain values."""
    from onnx.helper import get_attribute_value

    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
