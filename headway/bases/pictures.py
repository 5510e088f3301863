"""Transformers' image encoders as one kind of module: pixels in, one vector of features out."""

from __future__ import annotations

from torch import Tensor, nn


class ImageFeatures(nn.Module):
    """The pooled output of an image encoder, else the mean over its places: `[n, 3, s, s]` to `[n, width]`."""

    def __init__(self, encoder: nn.Module) -> None:
        """Wrap an encoder of Transformers."""
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the features of images that are prepared as the base wants them."""
        output = self.encoder(pixel_values=pixels)
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None:
            features: Tensor = pooled.flatten(1)
            return features
        hidden: Tensor = output.last_hidden_state
        return hidden.mean((2, 3)) if hidden.ndim == 4 else hidden[:, 0]
