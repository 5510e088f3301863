"""One JSON object a line for every request and every warning, written by a thread.

A full disk or a slow pipe holds up no answer.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from headway.serving.telling import write_through

# Lines that may wait to be written; more are lost, and counted.
_WAITING = 20_000
_PAUSE = 0.1
# Whose warnings go into the log: ours, and of the libraries that answer requests.
_LOGGERS = ("headway", "uvicorn", "asyncio")


class Log:
    """A log to a file or to standard error."""

    def __init__(self, path: Path | None, *, on_lost: Callable[[int], None] = lambda _count: None) -> None:
        """Write to `path`, or to standard error; `on_lost` is told how many lines could not be written."""
        self._path, self._on_lost = path, on_lost
        self._lines: deque[dict[str, Any]] = deque()
        # Whether the last line may have been written in part: the next one must not be joined to it.
        self._is_torn = False
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, event: str, **fields: Any) -> None:
        """Log one event; the time is taken here, the rest happens in the thread."""
        if len(self._lines) >= _WAITING:
            self._on_lost(1)
            return
        self._lines.append({"time": datetime.now(UTC), "event": event, **fields})
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what waits and stop."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(_PAUSE)
            self._wake.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Write all waiting lines in one go."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if not lines:
            return
        try:
            text = b"".join(_line(fields) for fields in lines)
            if self._path is None:
                write_through(text)
            else:  # opened anew each time, so that a rotated file is found
                with self._path.open("ab") as file:
                    file.write(b"\n" + text if self._is_torn and _ends_within(self._path) else text)
            self._is_torn = False
        except (OSError, ValueError):
            self._is_torn = True
            self._on_lost(len(lines))


def _ends_within(path: Path) -> bool:
    """Tell whether a file ends in the midst of a line."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


@contextmanager
def forward(log: Log) -> Iterator[None]:
    """Let what is said through `logging` go to `log`, for as long as the block lasts; its level is the event."""
    handler = _Forwarding(log)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class _Forwarding(logging.Handler):
    """Writes records into a log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with where an error comes from."""
        try:
            trace = self._trace.formatException(record.exc_info) if record.exc_info else None
            self._log.write(record.levelname.lower(), logger=record.name, message=record.getMessage(), trace=trace)
        except Exception:  # noqa: BLE001 - as every handler of `logging`: a bad record harms nobody
            self.handleError(record)

    _trace = logging.Formatter()


def _line(fields: dict[str, Any]) -> bytes:
    kept = {name: field for name, field in fields.items() if field is not None}
    return orjson.dumps(kept, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
