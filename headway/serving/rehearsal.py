"""What a request costs beside the model, found by playing some through the protocol in memory.

Playing them also warms up every code path, so that the first real request is not the slow one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from headway.serving.http import dump
from headway.serving.wire import to_json

# What the kernel adds for reading and writing a socket, about.
_SOCKET_SECONDS = 2.5e-5
_PATIENCE = 0.1


async def rehearse(connect: Any, row: Mapping[str, Any], *, rounds: int) -> float:
    """Return the seconds of one request with `row`, model included; `connect()` makes a connection's protocol.

    The best of `rounds` is taken, or of fewer where they take longer than a moment.
    """
    stage = _Stage()
    protocol = connect()
    protocol.connection_made(stage)
    content = dump({"rows": [{name: to_json(cell) for name, cell in row.items()}]})
    head = (
        b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    )
    seconds = []
    deadline = time.perf_counter() + _PATIENCE
    for _ in range(rounds):
        start = time.perf_counter()
        stage.written.clear()
        protocol.data_received(head % len(content) + content)
        await asyncio.wait_for(stage.written.wait(), timeout=30)
        seconds.append(time.perf_counter() - start)
        if time.perf_counter() > deadline:
            break
    protocol.connection_lost(None)
    return min(seconds) + _SOCKET_SECONDS


class _Stage(asyncio.Transport):
    """A transport that leads nowhere and tells when an answer's body was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return where the connection would come from."""
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take note of a body."""
        if bytes(data[:5]) != b"HTTP/":
            self.written.set()

    def is_closing(self) -> bool:
        """Stay open."""
        return False

    def close(self) -> None:
        """Have nothing to close."""

    def pause_reading(self) -> None:
        """Have nothing to pause."""

    def resume_reading(self) -> None:
        """Have nothing to resume."""
