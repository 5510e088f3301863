"""Generator and critic: DCGAN's shape (Radford et al. 2016) with what makes it steady.

The generator's batch norms take their scale and shift from noise and class (de Vries et al. 2017; BigGAN, Brock et al.
2019, section 3), and the critic has no norm, but a gradient penalty, and looks at the class by projection (Miyato &
Koyama 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
LABEL_WIDTH = 32


class StyledNorm(nn.Module):
    """A batch norm over `[n, channels, h, w]` whose scale and shift are a linear function of `[n, style]`."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.1)
        self.style = nn.Linear(style, 2 * channels)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return the normalised picture in the style."""
        scale, shift = self.style(style)[:, :, None, None].chunk(2, dim=1)
        normed: Tensor = self.norm(x)
        return torch.addcmul(shift, normed, 1 + scale)


class Doubling(nn.Module):
    """A styled norm, a ReLU, and a transposed convolution that doubles the sides."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.norm = StyledNorm(inputs, style)
        self.convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return `[n, outputs, 2 h, 2 w]`."""
        doubled: Tensor = self.convolution(torch.relu_(self.norm(x, style)))
        return doubled


class Generator(nn.Module):
    """Noise `[n, noise]`, and int64 labels `[n]` where there are classes, become pictures."""

    def __init__(
        self, channels: Sequence[int], *, noise: int, labels: int, width: int, height: int, colours: int
    ) -> None:
        super().__init__()
        self.width, self.height = width, height
        scale = 2 ** (len(channels) - 1)
        self.start = (channels[0], -(-height // scale), -(-width // scale))
        self.labels = nn.Embedding(labels, LABEL_WIDTH) if labels > 1 else None
        style = noise + (LABEL_WIDTH if labels > 1 else 0)
        self.first = nn.Linear(style, self.start[0] * self.start[1] * self.start[2])
        self.doublings = nn.ModuleList(Doubling(inputs, outputs, style) for inputs, outputs in pairwise(channels))
        self.norm = StyledNorm(channels[-1], style)
        self.last = nn.Conv2d(channels[-1], colours, 3, padding=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return float pictures `[n, colours, height, width]` from -1 (black) to 1 (white)."""
        style = noise if self.labels is None else torch.cat([noise, self.labels(labels)], dim=1)
        x = self.first(style).unflatten(1, self.start).contiguous(memory_format=torch.channels_last)
        for doubling in self.doublings:
            x = doubling(x, style)
        x = torch.tanh(self.last(torch.relu_(self.norm(x, style))))
        top, left = (x.shape[2] - self.height) // 2, (x.shape[3] - self.width) // 2
        return x[:, :, top : top + self.height, left : left + self.width]


class Critic(nn.Module):
    """Tells real pictures from drawn ones, and whether they fit their class."""

    def __init__(self, channels: Sequence[int], *, labels: int, width: int, height: int, colours: int) -> None:
        super().__init__()
        ends = [colours, *channels]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 4, stride=2, padding=1) for inputs, outputs in pairwise(ends)
        )
        for _ in self.convolutions:
            width, height = max(1, width // 2), max(1, height // 2)
        self.head = nn.Linear(ends[-1] * width * height, 1)
        # The class is looked for in every place: on digits that halved the distance beside a mean over places.
        self.labels = nn.Embedding(labels, self.head.in_features) if labels > 1 else None
        if self.labels is not None:
            nn.init.zeros_(self.labels.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return `[n]`, above 0 where a picture seems real."""
        x = pictures
        for convolution in self.convolutions:
            x = functional.leaky_relu(convolution(x), SLOPE)
        x = x.flatten(1)
        real: Tensor = self.head(x).squeeze(1)
        if self.labels is None:
            return real
        fits: Tensor = (self.labels(labels) * x).sum(1)
        return real + fits
