"""A small convolutional network that fits its depth to the size of the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

# Above this many pixels on the longer side the first convolution already halves the image.
LARGE = 48
# Below this a stage keeps its size, so that pooling has at least 3 x 3 places left.
SMALLEST_HALVED = 6


@dataclass(frozen=True)
class Layout:
    """Channels and strides of the convolutions, in order; all kernels are 3 x 3, but for a 5 x 5 one that halves."""

    channels: tuple[int, ...]
    strides: tuple[int, ...]


def layout_for(width: int, height: int) -> Layout:
    """Choose the convolutions for images of this size (pixels)."""
    stem = 2 if max(width, height) > LARGE else 1
    side = -(-min(width, height) // stem)
    channels, strides = [16], [stem]
    for wide, depth in ((32, 2), (64, 2), (128, 1 if stem == 1 else 2)):
        halved = 2 if side >= SMALLEST_HALVED else 1
        side = -(-side // halved)
        channels += [wide] * depth
        strides += [halved] + [1] * (depth - 1)
    return Layout(tuple(channels), tuple(strides))


class Block(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[n, outputs, height / stride, width / stride]`."""
        return torch.relu_(self.norm(self.convolution(x)))


class ConvNet(nn.Module):
    """Blocks, global average pooling, dropout, one linear layer; several images of a row share the blocks.

    `mean` and `deviation`: of the training pixels, one per channel, on the scale 0 to 255.
    """

    def __init__(
        self,
        layout: Layout,
        mean: Sequence[float],
        deviation: Sequence[float],
        *,
        images: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32).reshape(-1, 1, 1))
        ends = [len(mean), *layout.channels]
        self.blocks = nn.ModuleList(
            Block(inputs, outputs, 5 if index == 0 and stride == 2 else 3, stride)
            for index, ((inputs, outputs), stride) in enumerate(zip(pairwise(ends), layout.strides, strict=True))
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(images * layout.channels[-1], width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, *images: Tensor) -> Tensor:
        """Return logits `[n, width]` of pixels `[n, height, width, channels]` (0 to 255), one tensor per column."""
        features = torch.cat([self._features(pixels) for pixels in images], dim=1)
        outputs: Tensor = self.head(self.dropout(features))
        return outputs

    def _features(self, pixels: Tensor) -> Tensor:
        x = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.deviation
        for block in self.blocks:
            x = block(x)
        return x.mean((2, 3))
