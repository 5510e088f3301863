"""Frozen weights in four bits on a GPU (QLoRA, Dettmers et al. 2023, section 3); bitsandbytes packs them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor


def can_pack(device: torch.device) -> bool:
    """Tell whether weights can be kept in four bits there."""
    return device.type == "cuda" and importlib.util.find_spec("bitsandbytes") is not None


class FourBits:
    """Weights in blocks of NormalFloat4 with scales that are packed themselves, made whole whenever they are read."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        """Pack `[out, in]` of each map; they lie on the GPU."""
        from bitsandbytes import functional  # type: ignore[import-not-found]  # only where there is a GPU

        self._functional = functional
        self._packed = [functional.quantize_4bit(each, quant_type="nf4", compress_statistics=True) for each in weights]

    def parts(self) -> Sequence[Tensor]:
        """Return them in float32."""
        return [self._functional.dequantize_4bit(packed, state).float() for packed, state in self._packed]
