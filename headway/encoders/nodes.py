"""A `Stack` as ONNX nodes, written with the fused operators of onnxruntime."""

from __future__ import annotations

from typing import Literal

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.encoders.microsoft import fused
from headway.encoders.stack import Activation, Dense, Layer, Norm, Stack
from headway.networks.nodes import floats, integers
from headway.package.constants import Constants

Pooling = Literal["mean", "cls"]


def pooled_nodes(
    stack: Stack, ids: Var, mask: Var, constants: Constants, *, pooling: Pooling, normalise: bool = False
) -> Var:
    """Return float32 `[rows, hidden]` from `ids` and `mask`, int64 `[rows, length]`, padded on the right."""
    return pool(hidden_nodes(stack, ids, mask, constants), mask, pooling=pooling, normalise=normalise)


def pool(hidden: Var, mask: Var, *, pooling: Pooling, normalise: bool = False) -> Var:
    """Return the mean over the tokens of each row, or its first token; of length 1 where `normalise`.

    `hidden`: float32 `[rows, length, hidden]`.
    """
    if pooling == "cls":
        pooled = op.gather(hidden, op.const(np.int64(0)), axis=1)
    else:
        weights = op.cast(mask, to=np.float32)
        count = op.max([op.reduce_sum(weights, integers([1]), keepdims=1), floats(1.0)])
        shares = op.unsqueeze(op.div(weights, count), integers([1]))
        pooled = op.squeeze(op.matmul(shares, hidden), integers([1]))
    return op.lp_normalization(pooled, axis=-1, p=2) if normalise else pooled


def hidden_nodes(stack: Stack, ids: Var, mask: Var, constants: Constants) -> Var:
    """Return the last hidden states, float32 `[rows, length, hidden]`."""
    length = op.slice(op.shape(ids), integers([1]), integers([2]))
    positions = op.slice(constants.hold(stack.positions), integers([0]), length, integers([0]))
    embedded = op.add(op.gather(constants.hold(stack.words), ids), positions)
    x = _norm(embedded, stack.embedding_norm, stack.epsilon)
    padding = op.cast(mask, to=np.int32)
    for layer in stack.layers:
        x = _layer(x, padding, layer, stack, constants)
    return x


def _layer(x: Var, padding: Var, layer: Layer, stack: Stack, constants: Constants) -> Var:
    three = ("rows", "length", stack.hidden)
    query, key, value = (_matmul(x, dense, constants) for dense in (layer.query, layer.key, layer.value))
    bias = constants.hold(np.concatenate([layer.query.bias, layer.key.bias, layer.value.bias]))
    attended = fused("MultiHeadAttention", [query, key, value, bias, padding], three, num_heads=stack.heads)
    x = _summed(_matmul(attended, layer.out, constants), x, layer.out.bias, layer.attention_norm, stack)
    inner = _activated(_matmul(x, layer.up, constants), layer.up.bias, stack.activation)
    return _summed(_matmul(inner, layer.down, constants), x, layer.down.bias, layer.norm, stack)


def _matmul(x: Var, dense: Dense, constants: Constants) -> Var:
    return op.matmul(x, constants.hold(dense.weight))


def _norm(x: Var, norm: Norm, epsilon: float) -> Var:
    return op.layer_normalization(x, op.const(norm.weight), op.const(norm.bias), axis=-1, epsilon=epsilon)[0]


def _summed(x: Var, skip: Var, bias: np.ndarray, norm: Norm, stack: Stack) -> Var:
    """Return the layer norm of x + skip + bias."""
    inputs = [x, skip, op.const(norm.weight), op.const(norm.bias), op.const(bias)]
    return fused("SkipLayerNormalization", inputs, ("rows", "length", stack.hidden), epsilon=stack.epsilon)


def _activated(x: Var, bias: np.ndarray, activation: Activation) -> Var:
    if activation == "gelu":
        return fused("BiasGelu", [x, op.const(bias)], ("rows", "length", len(bias)))
    if activation == "gelu_tanh":
        return fused("FastGelu", [x, op.const(bias)], ("rows", "length", len(bias)))
    return op.relu(op.add(x, op.const(bias)))
