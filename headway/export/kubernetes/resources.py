"""How much memory and CPU a pod asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headway.export.packed import Packed
from headway.package.graph import Graph
from headway.package.measuring import measure
from headway.runtime.archive import MODEL

# What the HTTP server adds to the bare runtime, in MB: its supervisor, queues, metrics (measured: 48).
SERVER_MB = 60.0
_HEADROOM = 1.25
_STEP = 32


@dataclass(frozen=True)
class Resources:
    """What a pod asks for (`memory_mi`, `cpu`) and may never exceed (`memory_limit_mi`), from `measured_mb`."""

    measured_mb: float
    memory_mi: int
    memory_limit_mi: int
    cpu: str


def measure_resources(packed: Packed) -> Resources:
    """Return the resources of a pod from the memory that the package was measured to need, or is measured now."""
    known = packed.manifest.measured.get("memory_mb", math.nan)
    measured = known if math.isfinite(known) else _measure(packed)
    request = _round((measured + SERVER_MB) * _HEADROOM)
    return Resources(measured, request, 2 * request, "500m")


def _measure(packed: Packed) -> float:
    """Return the peak MB of a fresh process that answers the example row."""
    others = {name: content for name, content in packed.files.items() if name != MODEL}
    graph = Graph(packed.files[MODEL], packed.manifest.feeds, others)
    return measure(graph, packed.columns([packed.example]), bulk=False).memory_mb


def _round(megabytes: float) -> int:
    """Return megabytes rounded up to a step."""
    return math.ceil(megabytes / _STEP) * _STEP
