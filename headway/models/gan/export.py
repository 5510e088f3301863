"""A generator as an ONNX graph: noise and labels in, pictures out."""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, Var, argument
from torch import nn

from headway.models.gan.network import Doubling, Generator, StyledNorm
from headway.networks import nodes


def exported(generator: Generator) -> bytes:
    """Return a graph: `noise` (and int64 `label`, with classes) in, uint8 `pixels` `[n, height, width, colours]`."""
    labels = generator.labels
    noise_width = generator.first.in_features - (0 if labels is None else labels.embedding_dim)
    noise = argument(Tensor(np.float32, ("pictures", noise_width)))
    inputs, style = {"noise": noise}, noise
    if labels is not None:
        inputs["label"] = argument(Tensor(np.int64, ("pictures",)))
        style = op.concat([noise, nodes.embedding(inputs["label"], labels)], axis=1)
    x = op.reshape(nodes.linear(style, generator.first), nodes.integers([-1, *generator.start]))
    for doubling in generator.doublings:
        assert isinstance(doubling, Doubling)
        x = _doubled(op.relu(_styled(x, style, doubling.norm)), doubling.convolution)
    x = op.tanh(nodes.convolution(op.relu(_styled(x, style, generator.norm)), generator.last))
    return nodes.model_bytes(inputs, {"pixels": _pixels(x, generator)})


def _styled(x: Var, style: Var, layer: StyledNorm) -> Var:
    """Return a styled norm with the means and deviations that were measured."""
    norm, channels = layer.norm, layer.norm.num_features
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = 1 / np.sqrt(norm.running_var.numpy().astype(np.float64) + norm.eps)
    mean = norm.running_mean.numpy().astype(np.float64)
    normed = op.add(op.mul(x, _by_channel(factor)), _by_channel(-mean * factor))
    both = op.reshape(nodes.linear(style, layer.style), nodes.integers([-1, 2 * channels, 1, 1]))
    scale, shift = op.split(both, axis=1, num_outputs=2)
    return op.add(op.mul(normed, op.add(scale, nodes.floats(1.0))), shift)


def _doubled(x: Var, layer: nn.ConvTranspose2d) -> Var:
    """Return a transposed convolution."""
    assert layer.bias is not None
    return op.conv_transpose(
        x,
        op.const(layer.weight.detach().contiguous().numpy()),
        op.const(layer.bias.detach().numpy()),
        kernel_shape=[4, 4],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
    )


def _pixels(x: Var, generator: Generator) -> Var:
    """Return pictures from -1 to 1 as bytes, cut to their size, colours last."""
    scale = 2 ** len(generator.doublings)
    top = (generator.start[1] * scale - generator.height) // 2
    left = (generator.start[2] * scale - generator.width) // 2
    ends = nodes.integers([top + generator.height, left + generator.width])
    cut = op.slice(x, nodes.integers([top, left]), ends, nodes.integers([2, 3]))
    scaled = op.mul(op.add(op.transpose(cut, perm=[0, 2, 3, 1]), nodes.floats(1.0)), nodes.floats(127.5))
    return op.cast(op.clip(op.round(scaled), nodes.floats(0.0), nodes.floats(255.0)), to=np.uint8)


def _by_channel(values: np.ndarray) -> Var:
    return op.const(values.astype(np.float32).reshape(1, -1, 1, 1))
