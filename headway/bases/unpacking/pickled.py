"""Pickled weights, read without running what a pickle may hold."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.errors import BaseModelError, MissingExtraError

_CALLED = re.compile(r"GLOBAL ([\w.]+)")

if TYPE_CHECKING:
    from torch import Tensor


def read_pickled(file: Path) -> Mapping[str, Tensor]:
    """Return the tensors of a pickled state by name, read with `weights_only=True`.

    Raises `BaseModelError` for a file that holds anything but tensors and plain containers, or is cut short.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("deep", purpose="reading pickled weights") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # of protocols that may not be read: those that are not end here
            content: Any = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BaseModelError(
            "the pickled weights hold more than numbers and are refused",
            where=str(file),
            expected="safetensors, or a pickle of tensors alone",
            got=_told(str(error)),
            fix="take a model with safetensors",
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise BaseModelError(
            "the pickled weights cannot be read",
            where=str(file),
            got=str(error).split("\n")[0][:200],
            fix="fetch or copy the file again",
        ) from None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    tensors = {str(name): value for name, value in dict(content).items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise BaseModelError("there are no tensors in the file", where=str(file), expected="the state of a model")
    return tensors


def _told(error: str) -> str:
    """Return what a pickle wanted to have; torch's own words begin with the way to run it all the same."""
    called = _CALLED.search(error)
    return f"it would run {called[1]}" if called else "an instruction that tensors do not need"
