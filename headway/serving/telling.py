"""What the service says of itself, said by a thread: a terminal or a pipe that nobody reads holds up nothing."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

# How long the last words may take before they are given up (seconds).
_PATIENCE = 2.0


class Teller:
    """Passes events on in their order, without waiting for whoever hears them."""

    def __init__(self, on_event: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Take who is to hear of the events; it is called in a thread of its own, one event at a time."""
        self._on_event = on_event
        self._events: queue.SimpleQueue[tuple[str, Mapping[str, Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="telling", daemon=True)
        self._thread.start()

    def tell(self, event: str, facts: Mapping[str, Any]) -> None:
        """Pass on one event, at once as far as the caller is concerned."""
        self._events.put((event, facts))

    def close(self) -> None:
        """Let what was told be said, as long as that takes a moment only."""
        self._events.put(None)
        self._thread.join(timeout=_PATIENCE)

    def _run(self) -> None:
        while (told := self._events.get()) is not None:
            with suppress(OSError):  # whoever listened has gone
                self._on_event(*told)


def write_through(text: bytes) -> None:
    """Write to standard error past Python's own buffer; raises `OSError` where nobody is there any more.

    A thread that waits in the buffer holds its lock, and Python ends with an abort where it cannot flush at the end.
    """
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(sys.stderr.fileno(), rest) :]
