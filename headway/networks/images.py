"""Batches of images for the training loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headway.networks.augmentation import LIGHT, Strength, augmented


@dataclass(frozen=True)
class Images:
    """Pixels of one or more image columns, each uint8 `[n, height, width, channels]`."""

    pixels: tuple[np.ndarray, ...]
    strength: Strength = LIGHT
    lengths: None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.pixels[0])

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        """Return one tensor per column, `[b, height, width, channels]`, changed at random where wanted."""
        tensors = [torch.from_numpy(pixels[positions]) for pixels in self.pixels]
        if augment is None:
            return tuple(tensors)
        return tuple(augmented(tensor, augment, self.strength) for tensor in tensors)
