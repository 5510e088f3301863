"""EfficientNet-Lite as ONNX nodes; batch norms are folded into the kernels before them."""

from __future__ import annotations

import spox.opset.ai.onnx.v21 as op
from spox import Var
from torch import nn

from headway.bases.efficientnet import Block, EfficientNetLite
from headway.networks.nodes import convolution, floats, integers


def efficientnet_nodes(network: EfficientNetLite, pixels: Var) -> Var:
    """Return the features `[rows, 1280]` of prepared pixels `[rows, 3, size, size]`."""
    x = _relu6(_padded_convolution(pixels, network.pad, network.stem, network.stem_norm))
    for block in network.blocks:
        assert isinstance(block, Block)
        x = _block(x, block)
    x = _relu6(convolution(x, network.head, network.head_norm))
    return op.reduce_mean(x, integers([2, 3]), keepdims=0)


def _block(x: Var, block: Block) -> Var:
    wide = _relu6(convolution(x, block.expand, block.expand_norm)) if block.widens else x
    wide = _relu6(_padded_convolution(wide, block.pad, block.depthwise, block.depthwise_norm))
    narrow = convolution(wide, block.project, block.project_norm)
    return op.add(x, narrow) if block.keeps else narrow


def _padded_convolution(x: Var, pad: nn.Module, layer: nn.Conv2d, norm: nn.BatchNorm2d) -> Var:
    assert isinstance(pad, nn.ZeroPad2d)
    left, right, top, bottom = pad.padding
    return convolution(x, layer, norm, pads=(top, left, bottom, right))


def _relu6(x: Var) -> Var:
    return op.clip(x, floats(0.0), floats(6.0))
