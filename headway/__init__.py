"""Headway: from a small team's raw data to a small, proven, packaged model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.pipeline.door import FinishedRun, run

__version__ = "0.1.0"
__all__ = ["FinishedRun", "__version__", "run"]


def __getattr__(name: str) -> Any:
    """Import the door when it is first used, so that `import headway` and the runtime stay light."""
    if name in {"run", "FinishedRun"}:
        # By name: every room imports this file for its version, and none of them may import the pipeline.
        return getattr(importlib.import_module("headway.pipeline.door"), name)
    raise AttributeError(f"module 'headway' has no attribute {name!r}")
