"""EfficientNet-Lite: depthwise convolutions without squeeze-and-excitation, so that small machines run it fast.

Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", in the
Lite variant of 2020: ReLU6 for swish, a stem and a head of fixed width.
"""

from __future__ import annotations

from torch import Tensor, nn

# repeats, kernel, stride, expansion, channels out
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, WIDTH = 32, 1280
_EPSILON = 1e-3


class EfficientNetLite(nn.Module):
    """The features of images: float32 `[n, 3, size, size]` to `[n, 1280]`; `size` is a multiple of 32."""

    def __init__(self) -> None:
        """Make the layers of Lite0."""
        super().__init__()
        self.pad = _same_padding(3, 2)
        self.stem = nn.Conv2d(3, _STEM, 3, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        blocks, channels = [], _STEM
        for repeats, kernel, stride, expansion, out in _STAGES:
            for number in range(repeats):
                blocks.append(Block(channels, out, kernel, stride if number == 0 else 1, expansion))
                channels = out
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv2d(channels, WIDTH, 1, bias=False)
        self.head_norm = nn.BatchNorm2d(WIDTH, eps=_EPSILON)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the mean of the last feature map."""
        x = nn.functional.relu6(self.stem_norm(self.stem(self.pad(pixels))))
        for block in self.blocks:
            x = block(x)
        features: Tensor = nn.functional.relu6(self.head_norm(self.head(x)))
        return features.mean((2, 3))


class Block(nn.Module):
    """An inverted residual: widen, filter each channel by itself, narrow."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        """Make the layers; the first stage does not widen."""
        super().__init__()
        inner = channels * expansion
        self.keeps = stride == 1 and channels == out
        self.widens = expansion > 1
        if self.widens:
            self.expand = nn.Conv2d(channels, inner, 1, bias=False)
            self.expand_norm = nn.BatchNorm2d(inner, eps=_EPSILON)
        self.pad = _same_padding(kernel, stride)
        self.depthwise = nn.Conv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(inner, eps=_EPSILON)
        self.project = nn.Conv2d(inner, out, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(out, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, `[n, out, h, w]`."""
        wide = nn.functional.relu6(self.expand_norm(self.expand(x))) if self.widens else x
        wide = nn.functional.relu6(self.depthwise_norm(self.depthwise(self.pad(wide))))
        narrow: Tensor = self.project_norm(self.project(wide))
        return x + narrow if self.keeps else narrow


def _same_padding(kernel: int, stride: int) -> nn.Module:
    """Return the padding with which TensorFlow's SAME keeps sizes: for even inputs, the odd pixel goes to the end."""
    total = kernel - stride
    return nn.ZeroPad2d((total // 2, total - total // 2, total // 2, total - total // 2))
