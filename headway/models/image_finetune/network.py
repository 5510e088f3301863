"""An image encoder with a linear head, whole or from one of its blocks on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from headway.bases.base import Picture
from headway.bases.efficientnet import EfficientNetLite

# The blocks of the last two widths of EfficientNet-Lite0: five of sixteen, with four fifths of all weights.
FIRST_TUNED = 11


class Tuned(nn.Module):
    """`encoder` and a head over the features of all image columns of a row.

    `cut`: the block it begins at; its inputs are then what the blocks before it made of the images, `[n, channels,
    height, width]`; where None, its inputs are pixels `[n, height, width, 3]` from 0 to 255. Norms keep the statistics
    of the pretraining: batches of few images have worse ones.
    """

    def __init__(
        self, encoder: nn.Module, picture: Picture, *, cut: int | None, head: nn.Linear, dropout: float
    ) -> None:
        """Freeze what lies before the cut."""
        super().__init__()
        self.encoder = encoder
        self.cut = cut
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", 255 * torch.tensor(picture.mean).reshape(-1, 1, 1))
        self.register_buffer("deviation", 255 * torch.tensor(picture.std).reshape(-1, 1, 1))
        for parameter in self._lower_parameters():
            parameter.requires_grad = False

    def forward(self, *images: Tensor) -> Tensor:
        """Return outputs `[n, width]`, from one tensor per image column."""
        outputs: Tensor = self.head(self.dropout(self.features(*images)))
        return outputs

    def features(self, *images: Tensor) -> Tensor:
        """Return the features of all columns, side by side."""
        return torch.cat([self._upper(image) for image in images], dim=1)

    def lower(self, pixels: Tensor) -> Tensor:
        """Return what the frozen blocks make of pixels `[n, height, width, 3]`."""
        encoder = self.encoder
        assert isinstance(encoder, EfficientNetLite)
        x = nn.functional.relu6(encoder.stem_norm(encoder.stem(encoder.pad(self._prepared(pixels)))))
        for block in encoder.blocks[: self.cut]:
            x = block(x)
        return x

    def train(self, mode: bool = True) -> Tuned:
        """Switch dropout on or off; norms always evaluate."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def _upper(self, x: Tensor) -> Tensor:
        encoder = self.encoder
        if self.cut is None:
            features: Tensor = encoder(self._prepared(x))
            return features
        assert isinstance(encoder, EfficientNetLite)
        for block in encoder.blocks[self.cut :]:
            x = block(x)
        return nn.functional.relu6(encoder.head_norm(encoder.head(x))).mean((2, 3))

    def _prepared(self, pixels: Tensor) -> Tensor:
        return (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.deviation

    def _lower_parameters(self) -> Iterator[nn.Parameter]:
        encoder = self.encoder
        if self.cut is None or not isinstance(encoder, EfficientNetLite):
            return
        for module in (encoder.stem, encoder.stem_norm, *encoder.blocks[: self.cut]):
            yield from module.parameters()
