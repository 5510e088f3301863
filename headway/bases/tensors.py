"""The weights of a folder as numpy arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headway.bases.weights import find_weights
from headway.errors import BaseModelError


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Return all tensors of the folder's safetensors files, floating ones as float32; raises `BaseModelError`."""
    from safetensors import SafetensorError, safe_open

    tensors: dict[str, np.ndarray] = {}
    for path in find_weights(folder).files:
        try:
            with safe_open(path, framework="numpy") as opened:
                for name in opened.keys():  # noqa: SIM118 - it is no mapping
                    tensors[name] = _float32(opened.get_tensor(name))
        except (OSError, SafetensorError) as error:
            raise _unreadable(path, "the weights", error) from error
    return tensors


def _float32(tensor: np.ndarray) -> np.ndarray:
    """Return floating numbers (bfloat16, which numpy does not know as one, too) as float32."""
    known = np.issubdtype(tensor.dtype, np.integer) or tensor.dtype in (np.dtype(np.float32), np.dtype(np.bool_))
    return tensor if known else tensor.astype(np.float32)


def _unreadable(path: Path, what: str, error: object) -> BaseModelError:
    return BaseModelError(
        f"{what} cannot be read",
        where=str(path),
        expected="a model folder in the layout of Transformers with safetensors",
        got=str(error)[:200],
        fix="download the model again, or name another `base`",
    )
