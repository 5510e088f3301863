"""Vectors of texts by a module on a GPU, where there is one: the same as those of the graph that ships."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from headway.bases.base import Base

# (ids, mask), both int64 `[rows, length]`, to float32 `[rows, hidden]`.
Encode = Callable[[np.ndarray, np.ndarray], np.ndarray]


@lru_cache(maxsize=1)
def has_gpu() -> bool:
    """Tell whether PyTorch computes on a GPU here; it is imported only where the machine looks as if it had one."""
    if not _may_have_gpu() or any(find_spec(name) is None for name in ("torch", "transformers")):
        return False
    from headway.networks.device import best_device

    return best_device().type != "cpu"


def _may_have_gpu() -> bool:
    """Tell whether there is a driver of NVIDIA or AMD, or a Mac's own GPU."""
    is_mac = sys.platform == "darwin" and platform.machine() == "arm64"
    return is_mac or sys.platform == "win32" or any(map(Path.exists, (Path("/dev/nvidiactl"), Path("/dev/kfd"))))


def encode_on_gpu(base: Base) -> Encode:
    """Return what encodes token ids with a base in float32 on the best device of this machine.

    Raises `TrainingError` where the base could not be packed afterwards.
    """
    import torch

    from headway.encoders.opening import open_encoder
    from headway.encoders.proving import check_export
    from headway.networks.device import best_device

    device = best_device()
    encoder = open_encoder(base)
    check_export(encoder, base)  # its graph is not needed before it ships
    encoder = encoder.to(device)

    def encode(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            pooled = encoder(*(torch.from_numpy(array).to(device) for array in (ids, mask)))
        vectors: np.ndarray = pooled.cpu().numpy()
        return vectors

    return encode
