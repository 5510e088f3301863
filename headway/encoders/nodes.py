"""A `Stack` as ONNX nodes, laid out for speed: tokens are rows of a matrix, and only attention sees texts.

Measured on two cores without AVX-512: onnxruntime's `SkipLayerNormalization` takes seven times as long as `Add` and
`LayerNormalization`, which it leaves alone on matrices of two axes.
"""

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
    texts = op.concat([op.shape(ids), integers([stack.hidden])], axis=0)
    x = _norm(op.reshape(embedded, integers([-1, stack.hidden])), stack.embedding_norm, stack.epsilon)
    padding = op.cast(mask, to=np.int32)
    for layer in stack.layers:
        x = _layer(x, texts, padding, layer, stack=stack, constants=constants)
    return op.reshape(x, texts)


def _layer(x: Var, texts: Var, padding: Var, layer: Layer, *, stack: Stack, constants: Constants) -> Var:
    """Return float32 `[tokens, hidden]`; `texts` is the shape in which attention reads them."""
    three = [op.reshape(_dense(x, dense, constants), texts) for dense in (layer.query, layer.key, layer.value)]
    attended = fused(
        "MultiHeadAttention", [*three, None, padding], ("rows", "length", stack.hidden), num_heads=stack.heads
    )
    context = op.reshape(attended, integers([-1, stack.hidden]))
    x = _norm(op.add(_dense(context, layer.out, constants), x), layer.attention_norm, stack.epsilon)
    inner = _activated(op.matmul(x, constants.hold(layer.up.weight)), layer.up.bias, stack.activation)
    return _norm(op.add(_dense(inner, layer.down, constants), x), layer.norm, stack.epsilon)


def _dense(x: Var, dense: Dense, constants: Constants) -> Var:
    return op.gemm(x, constants.hold(dense.weight), op.const(dense.bias))


def _norm(x: Var, norm: Norm, epsilon: float) -> Var:
    return op.layer_normalization(x, op.const(norm.weight), op.const(norm.bias), axis=-1, epsilon=epsilon)[0]


def _activated(x: Var, bias: np.ndarray, activation: Activation) -> Var:
    if activation == "gelu":
        return fused("BiasGelu", [x, op.const(bias)], ("tokens", len(bias)))
    if activation == "gelu_tanh":
        return fused("FastGelu", [x, op.const(bias)], ("tokens", len(bias)))
    return op.relu(op.add(x, op.const(bias)))
