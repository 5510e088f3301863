"""One answered request, as those see it who learn from it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headway.runtime.model import Prediction


@dataclass(frozen=True, slots=True)
class Served:
    """One request and what became of it; nobody may change its rows afterwards.

    `model` is the public name, `version` the package that answered. `rows` are the columns the package reads, one
    mapping a row; `answers` one prediction a row, None for a row without an answer, and empty where the whole request
    failed; then `error` names the class of the error (only faults of the server's, never wrong input). `latency_ms`
    is the time inside the server. `user_id` is whom the request was for. `shadow` answers were never shown to anybody.
    `at`: seconds since 1970 UTC.
    """

    model: str
    version: str
    rows: Sequence[Mapping[str, Any]]
    answers: Sequence[Prediction | None]
    latency_ms: float
    request_id: str
    user_id: str | None = None
    experiment: str = ""
    arm: str = ""
    shadow: bool = False
    error: str = ""
    at: float = field(default_factory=time.time)

    @property
    def weight(self) -> int:
        """Return about how many bytes its cells hold; cheap, for bounding what waits in memory."""
        return sum(len(cell) for row in self.rows for cell in row.values() if isinstance(cell, str | bytes))
