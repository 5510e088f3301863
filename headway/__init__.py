"""Headway: from a small team's raw data to a small, proven, packaged model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.errors import (
        BudgetError,
        DataError,
        HeadwayError,
        InputError,
        PackageError,
        ProjectError,
        RunError,
    )
    from headway.pipeline.door import FinishedRun, run
    from headway.serving.client import AsyncClient, Client
    from headway.serving.wire import ServiceError

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "BudgetError",
    "Client",
    "DataError",
    "FinishedRun",
    "HeadwayError",
    "InputError",
    "PackageError",
    "ProjectError",
    "RunError",
    "ServiceError",
    "__version__",
    "run",
]

# What is imported when it is first used: by name, since every room imports this file for its version.
_DOORS = {
    "run": "headway.pipeline.door",
    "FinishedRun": "headway.pipeline.door",
    "Client": "headway.serving.client",
    "AsyncClient": "headway.serving.client",
    "ServiceError": "headway.serving.wire",
    "HeadwayError": "headway.errors",
    "ProjectError": "headway.errors",
    "DataError": "headway.errors",
    "BudgetError": "headway.errors",
    "RunError": "headway.errors",
    "PackageError": "headway.errors",
    "InputError": "headway.errors",
}


def __getattr__(name: str) -> Any:
    """Import a door when it is first used, so that `import headway` and the runtime stay light."""
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'headway' has no attribute {name!r}")
