"""Headway: from a small team's raw data to a small, proven, packaged model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.pipeline.door import FinishedRun, run
    from headway.serving.client import AsyncClient, Client

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "FinishedRun", "__version__", "run"]

# What is imported when it is first used: by name, since every room imports this file for its version.
_DOORS = {
    "run": "headway.pipeline.door",
    "FinishedRun": "headway.pipeline.door",
    "Client": "headway.serving.client",
    "AsyncClient": "headway.serving.client",
}


def __getattr__(name: str) -> Any:
    """Import a door when it is first used, so that `import headway` and the runtime stay light."""
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'headway' has no attribute {name!r}")
