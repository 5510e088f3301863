"""What can be taken out of a graph as a whole: attention heads, channels between two layers, and layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.compression.pruning.blueprint import Blueprint, attributes_of

if TYPE_CHECKING:
    from onnx import NodeProto

# What stands between the two layers of a group of channels and treats each channel by itself.
_BETWEEN = frozenset(
    {"Relu", "Gelu", "BiasGelu", "FastGelu", "Add", "Mul", "Tanh", "Sigmoid", "Clip", "LeakyRelu", "MaxPool",
     "AveragePool", "GlobalAveragePool", "ReduceMean", "Identity", "Flatten"}
)  # fmt: skip
_LAYERS = frozenset({"MatMul", "Gemm", "Conv"})
# Groups smaller than this are left alone.
SMALLEST = 8


@dataclass(frozen=True)
class Group:
    """Channels, or heads of `block` channels each, that go together: every array is cut along its axis.

    `reader`: the array whose cut makes the channels unread, with its axis; its weights tell what they are worth.
    `attention`: the output of the node that the heads belong to, "" for plain channels.
    """

    arrays: tuple[tuple[str, int], ...]
    reader: tuple[str, int]
    count: int
    block: int = 1
    attention: str = ""


@dataclass(frozen=True)
class Span:
    """A layer that can be left out: what goes in takes the place of what comes out."""

    start: str
    end: str


def find_channels(blueprint: Blueprint) -> tuple[Group, ...]:
    """Return the channels between two layers that nothing else reads, such as those of a feed-forward part."""
    found = [_channels_after(blueprint, node) for node in blueprint.nodes if node.op_type in _LAYERS]
    return _distinct([group for group in found if group is not None and group.count >= SMALLEST])


def find_heads(blueprint: Blueprint) -> tuple[Group, ...]:
    """Return the heads of each attention whose three inputs and one output are plain layers."""
    nodes = [node for node in blueprint.nodes if node.op_type == "MultiHeadAttention"]
    found = [_heads_of(blueprint, node) for node in nodes]
    return _distinct([group for group in found if group is not None and group.count > 1])


def find_spans(blueprint: Blueprint) -> tuple[Span, ...]:
    """Return the layers of an encoder with norms after its sums: from one norm to the second next, one attention.

    None where the graph reads several texts, whose layers would have to go together.
    """
    norms = [node.output[0] for node in blueprint.nodes if node.op_type == "LayerNormalization"]
    if len(norms) != 2 * sum(node.op_type == "MultiHeadAttention" for node in blueprint.nodes) + 1:
        return ()
    places = {node.output[0]: place for place, node in enumerate(blueprint.nodes)}
    spans = []
    for start, end in zip(norms[:-2:2], norms[2::2], strict=False):
        between = [node.op_type for node in blueprint.nodes[places[start] : places[end]]]
        if between.count("MultiHeadAttention") == 1:
            spans.append(Span(start, end))
    return tuple(spans)


def _channels_after(blueprint: Blueprint, node: NodeProto) -> Group | None:
    """Return the channels that a layer makes, if one other layer reads them and nothing else."""
    weight = _weight(blueprint, node)
    if weight is None:
        return None
    size = blueprint.arrays[weight].shape[_axis_out(node)]
    arrays = [(weight, _axis_out(node))]
    if len(node.input) > 2 and not _take_vector(blueprint, node.input[2], size, arrays):
        return None
    after = _next_layer(blueprint, node, size, arrays)
    reader = None if after is None else _weight(blueprint, after)
    if after is None or reader is None or blueprint.arrays[reader].shape[_axis_in(after)] != size:
        return None
    end = (reader, _axis_in(after))
    return Group((*arrays, end), end, size)


def _next_layer(blueprint: Blueprint, node: NodeProto, size: int, arrays: list[tuple[str, int]]) -> NodeProto | None:
    """Return the layer that reads what `node` makes; what stands between adds its constants to `arrays`."""
    at = node.output[0]
    while at != blueprint.output:
        users = blueprint.users(at)
        if len(users) == 1 and users[0].op_type in _LAYERS and users[0].input[0] == at:
            return users[0]
        if len(users) != 1 or users[0].op_type not in _BETWEEN:
            return None
        others = [name for name in users[0].input if name != at]
        if not all(_take_vector(blueprint, name, size, arrays) for name in others):
            return None
        at = users[0].output[0]
    return None


def _take_vector(blueprint: Blueprint, name: str, size: int, arrays: list[tuple[str, int]]) -> bool:
    """Add a constant with one value a channel; True for it and for constants that are the same for all channels."""
    array = blueprint.arrays.get(name)
    if array is None:
        return False
    if array.size == size and size in array.shape:
        arrays.append((name, array.shape.index(size)))
        return True
    return array.size == 1 or array.dtype == np.int64


def _heads_of(blueprint: Blueprint, node: NodeProto) -> Group | None:
    makers = {output: maker for maker in blueprint.nodes for output in maker.output}
    count = int(attributes_of(node)["num_heads"])  # type: ignore[call-overload]
    arrays: list[tuple[str, int]] = []
    width = 0
    for name in node.input[:3]:
        layer = makers[makers[name].input[0]] if name in makers and makers[name].op_type == "Reshape" else None
        weight = None if layer is None else _weight(blueprint, layer)
        if layer is None or weight is None:
            return None
        width = blueprint.arrays[weight].shape[_axis_out(layer)]
        arrays.append((weight, _axis_out(layer)))
        if len(layer.input) > 2 and not _take_vector(blueprint, layer.input[2], width, arrays):
            return None
    after = blueprint.users(node.output[0])
    if len(after) != 1 or after[0].op_type != "Reshape":
        return None
    readers = blueprint.users(after[0].output[0])
    reader = _weight(blueprint, readers[0]) if len(readers) == 1 else None
    if reader is None:
        return None
    end = (reader, _axis_in(readers[0]))
    return Group((*arrays, end), end, count, width // count, node.output[0])


def _weight(blueprint: Blueprint, node: NodeProto) -> str | None:
    """Return the constant weight of a layer that can be cut, or None."""
    if node.op_type not in _LAYERS or len(node.input) < 2 or node.input[1] not in blueprint.arrays:
        return None
    array, attributes = blueprint.arrays[node.input[1]], attributes_of(node)
    plain = attributes.get("group", 1) == 1 and attributes.get("alpha", 1.0) == 1.0 and not attributes.get("transA", 0)
    return node.input[1] if plain and array.dtype == np.float32 and array.ndim >= 2 else None


def _axis_out(node: NodeProto) -> int:
    if node.op_type == "Conv":
        return 0
    return 0 if attributes_of(node).get("transB", 0) else 1


def _axis_in(node: NodeProto) -> int:
    return 1 - _axis_out(node)


def _distinct(groups: list[Group]) -> tuple[Group, ...]:
    """Return each group once: graphs that read several columns use the same weights for all of them."""
    alike: dict[tuple[tuple[str, int], ...], Group] = {}
    for group in groups:
        alike.setdefault(group.arrays, group)
    return tuple(alike.values())
