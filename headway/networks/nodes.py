"""Layers as ONNX nodes (opset 21, built with spox), with the weights of the PyTorch layers they copy.

Each builder takes spox Vars and the `nn.Module` it stands for; `answer` closes the graph::

    x = argument(Tensor(np.float32, ("rows", 20)))
    outputs = linear(relu(linear(x, network.hidden)), network.head)
    graph = Graph(model_bytes({"numbers": x}, answer(outputs, trained)), feeds)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var, build

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headway.networks.training import Trained


def model_bytes(inputs: Mapping[str, Var], outputs: Mapping[str, Var]) -> bytes:
    """Return a serialised ONNX model."""
    serialised: bytes = build(dict(inputs), dict(outputs)).SerializeToString()
    return serialised


def answer(outputs: Var, trained: Trained) -> dict[str, Var]:
    """Turn a network's outputs into the graph's one output: `probabilities` or `values`."""
    if trained.task.kind == "regress":
        mean, deviation = trained.scale
        return {"values": op.add(op.mul(outputs, floats(deviation)), floats(mean))}
    if trained.plan.loss == "binary_cross_entropy" and trained.task.width > 2:
        yes = op.sigmoid(outputs)
        return {"probabilities": op.div(yes, op.reduce_sum(yes, integers([1]), keepdims=1))}
    return {"probabilities": op.softmax(outputs, axis=1)}


def floats(value: object) -> Var:
    """Return a float32 constant."""
    return op.const(np.asarray(value, dtype=np.float32))


def integers(value: object) -> Var:
    """Return an int64 constant."""
    return op.const(np.asarray(value, dtype=np.int64))


def linear(x: Var, layer: nn.Linear) -> Var:
    """Return `x W + b`, x `[..., in]`."""
    product = op.matmul(x, op.const(np.ascontiguousarray(_array(layer.weight).T)))
    return product if layer.bias is None else op.add(product, op.const(_array(layer.bias)))


def relu(x: Var) -> Var:
    """Return max(x, 0)."""
    return op.relu(x)


def convolution(
    x: Var,
    layer: nn.Conv2d | nn.Conv1d,
    norm: nn.BatchNorm2d | nn.BatchNorm1d | None = None,
    *,
    pads: Sequence[int] | None = None,
) -> Var:
    """Return a convolution over `[rows, channels, ...]`, the batch norm after it folded into its kernel.

    `pads`: zeros before and after each axis (all befores first) in place of the layer's own.
    """
    kernel = _array(layer.weight)
    bias = np.zeros(kernel.shape[0], np.float32) if layer.bias is None else _array(layer.bias)
    if norm is not None:
        kernel, bias = _folded(kernel, bias, norm)
    padding = [int(side) for side in layer.padding]
    return op.conv(
        x,
        op.const(kernel),
        op.const(bias),
        pads=list(pads) if pads is not None else [*padding, *padding],
        strides=[int(step) for step in layer.stride],
        dilations=[int(step) for step in layer.dilation],
        group=layer.groups,
        kernel_shape=list(kernel.shape[2:]),
    )


def _folded(
    kernel: np.ndarray, bias: np.ndarray, norm: nn.BatchNorm2d | nn.BatchNorm1d
) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias that also do the work of an evaluating batch norm (Jacob et al. 2018, section 3.2)."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = _array(norm.weight) / np.sqrt(_array(norm.running_var) + np.float32(norm.eps))
    shift = _array(norm.bias) - _array(norm.running_mean) * factor
    return kernel * factor.reshape(-1, *[1] * (kernel.ndim - 1)), bias * factor + shift


def normalised(x: Var, norm: nn.BatchNorm1d) -> Var:
    """Return an evaluating batch norm over `[rows, features]`."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = _array(norm.weight) / np.sqrt(_array(norm.running_var) + np.float32(norm.eps))
    shift = _array(norm.bias) - _array(norm.running_mean) * factor
    return op.add(op.mul(x, op.const(factor)), op.const(shift))


def embedding(ids: Var, layer: nn.Embedding) -> Var:
    """Return the vectors `[..., width]` of int64 ids `[...]`."""
    return op.gather(op.const(_array(layer.weight)), ids, axis=0)


def masked_mean(x: Var, mask: Var) -> Var:
    """Return the mean over the positions of `x` `[rows, length, width]` where int64 `mask` `[rows, length]` is 1."""
    kept = op.unsqueeze(op.cast(mask, to=np.float32), integers([2]))
    count = op.max([op.reduce_sum(kept, integers([1]), keepdims=0), floats(1.0)])
    return op.div(op.reduce_sum(op.mul(x, kept), integers([1]), keepdims=0), count)


def masked_max(x: Var, mask: Var) -> Var:
    """Return the maximum over the positions of `x` `[rows, length, width]` where `mask` is 1 (-1e4 where none is)."""
    kept = op.unsqueeze(op.cast(mask, to=np.bool_), integers([2]))
    return op.reduce_max(op.where(kept, x, floats(-1e4)), integers([1]), keepdims=0)


def lstm(x: Var, layer: nn.LSTM, lengths: Var) -> Var:
    """Return all hidden states `[rows, length, directions * hidden]` of a (stacked, bidirectional) LSTM.

    `x`: `[rows, length, width]`, `lengths`: int32 `[rows]`, at least 1; states after a row's end are 0, as in
    torch's packed sequences.
    """
    steps = op.transpose(x, perm=[1, 0, 2])
    for depth in range(layer.num_layers):
        steps = _lstm_layer(steps, layer, depth, lengths)
    return op.transpose(steps, perm=[1, 0, 2])


def _lstm_layer(steps: Var, layer: nn.LSTM, depth: int, lengths: Var) -> Var:
    """Return one layer's states, `[length, rows, directions * hidden]`."""
    suffixes = [f"_l{depth}", f"_l{depth}_reverse"] if layer.bidirectional else [f"_l{depth}"]
    stacked = {
        part: np.stack([_gates(_array(getattr(layer, part + suffix))) for suffix in suffixes])
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    states, _, _ = op.lstm(
        steps,
        op.const(stacked["weight_ih"]),
        op.const(stacked["weight_hh"]),
        op.const(np.concatenate([stacked["bias_ih"], stacked["bias_hh"]], axis=1)),
        lengths,
        hidden_size=layer.hidden_size,
        direction="bidirectional" if layer.bidirectional else "forward",
    )
    joined = op.transpose(states, perm=[0, 2, 1, 3])
    return op.reshape(joined, integers([0, 0, len(suffixes) * layer.hidden_size]))


def _gates(weights: np.ndarray) -> np.ndarray:
    """Reorder torch's gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    i, f, c, o = np.split(weights, 4)
    return np.concatenate([i, o, f, c])


def _array(weights: Tensor) -> np.ndarray:
    return np.asarray(weights.detach().cpu().numpy(), dtype=np.float32)
