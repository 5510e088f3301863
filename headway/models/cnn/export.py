"""The convolutional network as an ONNX graph."""

from __future__ import annotations

import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var

from headway.modalities.image.framing import Frame
from headway.modalities.image.pixels import Standard, image_argument, standardised
from headway.models.cnn.network import Block, ConvNet
from headway.networks import nodes
from headway.networks.training import Trained
from headway.package.graph import Graph


def exported(trained: Trained, columns: tuple[str, ...], frame: Frame) -> Graph:
    """Return uint8 pixels in, probabilities or values out."""
    network = trained.network
    assert isinstance(network, ConvNet)
    feeds = tuple(frame.feed(column) for column in columns)
    inputs = {feed.name: image_argument(frame) for feed in feeds}
    features = [features_of(pixels, network) for pixels in inputs.values()]
    joined = features[0] if len(features) == 1 else op.concat(features, axis=1)
    outputs = nodes.linear(joined, network.head)
    return Graph(nodes.model_bytes(inputs, nodes.answer(outputs, trained)), feeds)


def features_of(pixels: Var, network: ConvNet) -> Var:
    """Return what the head sees of uint8 pixels: float32 `[rows, channels]`, the last block's mean over the picture."""
    x = standardised(pixels, Standard(_floats(network.mean), _floats(network.deviation)))
    for block in network.blocks:
        assert isinstance(block, Block)
        x = nodes.relu(nodes.convolution(x, block.convolution, block.norm))
    return op.reduce_mean(x, nodes.integers([2, 3]), keepdims=0)


def _floats(values: torch.Tensor) -> tuple[float, ...]:
    return tuple(values.flatten().tolist())
