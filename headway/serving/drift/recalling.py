"""What was answered, for feedback on an answer that another process gave, or that was given long ago."""

from __future__ import annotations

import logging
import time

from headway.errors import StoreError
from headway.serving.store.opening import Store
from headway.serving.store.reading import Said, find_said

# While the store is away, feedback is not held up by asking it each time.
_PAUSE_SECONDS = 15.0
_log = logging.getLogger("headway.serving")


class Recall:
    """Looks answers up in the store; make it the `recall` of a `Watch`."""

    def __init__(self, store: Store, *, pause: float = _PAUSE_SECONDS) -> None:
        """Look in `store`, and after it was away not again for `pause` seconds."""
        self._store, self._pause = store, pause
        self._away_until = 0.0

    def __call__(self, request_id: str, row: int) -> Said | None:
        """Return what was answered; None where the store does not know, or is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return find_said(self._store, request_id, row)
        except StoreError as error:
            self._away_until = time.monotonic() + self._pause
            _log.warning("some feedback is not watched for drift: %s", error)
            return None
