"""One thing that happened in the server, with its time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from headway.serving.observing import Failed, Feedback, Served

Event = Served | Failed | Feedback


@dataclass(frozen=True, slots=True)
class Noted:
    """An event and when it happened, in seconds since 1970 UTC."""

    event: Event
    at: float = field(default_factory=time.time)

    @property
    def weight(self) -> int:
        """Return about how many bytes its cells hold; cheap, for bounding what waits in memory."""
        if not isinstance(self.event, Served):
            return 0
        return sum(len(cell) for row in self.event.rows for cell in row.values() if isinstance(cell, str | bytes))
