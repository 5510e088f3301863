"""Take groups and layers out of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headway.compression.pruning.blueprint import Blueprint, needed_nodes
from headway.compression.pruning.groups import Group, Span

if TYPE_CHECKING:
    from onnx import NodeProto


def cut(blueprint: Blueprint, kept: Sequence[tuple[Group, np.ndarray]]) -> Blueprint:
    """Return the graph with, of each group, the channels or heads at the given places alone (int64, ascending)."""
    arrays = dict(blueprint.arrays)
    for group, places in kept:
        channels = (places[:, None] * group.block + np.arange(group.block)).reshape(-1)
        for name, axis in dict(group.arrays).items():
            arrays[name] = np.take(arrays[name], channels, axis=axis)
    smaller = replace(blueprint, arrays=arrays)
    heads = {frozenset(group.arrays): (len(places), group.block) for group, places in kept if group.attention}
    return _with_heads(smaller, heads) if heads else smaller


def without(blueprint: Blueprint, span: Span) -> Blueprint:
    """Return the graph without a layer: what it was given is handed on."""
    from onnx import NodeProto

    nodes = []
    for node in blueprint.nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [span.start if name == span.end else name for name in node.input]
        nodes.append(copy)
    return replace(blueprint, nodes=tuple(needed_nodes(replace(blueprint, nodes=tuple(nodes)))))


def _with_heads(blueprint: Blueprint, heads: Mapping[frozenset[tuple[str, int]], tuple[int, int]]) -> Blueprint:
    """Return the graph with its attentions and the shapes around them fitted to the heads they have left."""
    from onnx import helper

    makers = {output: node for node in blueprint.nodes for output in node.output}
    by_weight = {name: found for arrays, found in heads.items() for name, _ in arrays}
    arrays = dict(blueprint.arrays)
    fitted: dict[str, NodeProto] = {}
    added: list[NodeProto] = []
    for node in blueprint.nodes:
        if node.op_type != "MultiHeadAttention":
            continue
        first = makers[makers[node.input[0]].input[0]]
        if first.input[1] not in by_weight:
            continue
        count, block = by_weight[first.input[1]]
        fitted[node.output[0]] = _changed(node, num_heads=count)
        width = np.array([count * block])
        # A reshape by 0 keeps the axis: the shape of rows and length is that of the mask or the ids.
        arrays[node.output[0] + ":width"] = width
        arrays[node.output[0] + ":flat"] = np.array([-1, count * block])
        source = _shape_source(makers[node.input[0]], makers)
        shape = node.output[0] + ":shape"
        added.append(helper.make_node("Concat", [source, node.output[0] + ":width"], [shape], axis=0))
        for name in node.input[:3]:
            fitted[name] = _reading(makers[name], shape)
        (after,) = blueprint.users(node.output[0])
        fitted[after.output[0]] = _reading(after, node.output[0] + ":flat")
    nodes: list[NodeProto] = []
    for node in blueprint.nodes:
        nodes.append(fitted.get(node.output[0], node))
        nodes += [each for each in added if each.input[0] == node.output[0]]
    return replace(blueprint, nodes=tuple(nodes), arrays=arrays)


def _shape_source(reshape: NodeProto, makers: Mapping[str, NodeProto]) -> str:
    """Return the tensor that holds rows and length, which is joined to the width where a reshape gets its shape."""
    return str(makers[reshape.input[1]].input[0])


def _reading(node: NodeProto, shape: str) -> NodeProto:
    changed = _changed(node)
    changed.input[1] = shape
    return changed


def _changed(node: NodeProto, **attributes: int) -> NodeProto:
    from onnx import NodeProto, helper

    copy = NodeProto()
    copy.CopyFrom(node)
    for attribute in list(copy.attribute):
        if attribute.name in attributes:
            copy.attribute.remove(attribute)
    copy.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return copy
