"""Accept connections from a socket that all workers share, and let uvicorn's protocol speak HTTP on them.

Each worker takes one connection at a time and lets a worker with fewer go first, so that kept-open connections spread
evenly. The supervisor holds the socket, so what waits in it outlives any worker.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from headway.serving.limits import Limits

# How long a worker with more connections than another holds back, in seconds.
_HOLD = 0.002
_SWEEP = 1.0
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the size of headers, and a note of when something last came."""

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        """Note when the connection was opened."""
        super().connection_made(transport)
        self.seen = time.monotonic()
        self.head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, unless a client sends headers without end."""
        self.seen = time.monotonic()
        if self.is_waiting:
            self.head_bytes += len(data)
            super().data_received(data)
            if self.is_waiting and self.head_bytes > self.limits.head_bytes and not self.transport.is_closing():
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()
            return
        self.head_bytes = 0
        super().data_received(data)

    @property
    def is_waiting(self) -> bool:
        """Tell whether no request is being answered: the client is between two, or still sends headers."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def is_stale(self, now: float) -> bool:
        """Tell whether the client has been silent for too long: in its headers, or in taking its answer."""
        silent = now - self.seen
        if self.is_waiting:
            return silent > (self.limits.body_seconds if self.head_bytes else self.limits.idle_seconds)
        return silent > self.limits.timeout + 3 * self.limits.body_seconds and bool(self.flow.write_paused)


def make_connect(app: Any, limits: Limits, state: ServerState) -> Callable[[], Connection]:
    """Return a function that makes the protocol of a new connection to `app`."""
    config = Config(app, http=Connection, ws="none", lifespan="off", log_config=None, access_log=False,
                    server_header=False, proxy_headers=False, timeout_keep_alive=int(limits.idle_seconds))  # fmt: skip
    config.load()
    Connection.limits = limits
    return lambda: Connection(config=config, server_state=state, app_state={})


class Listener:
    """One worker's side of the shared socket."""

    def __init__(
        self,
        app: Any,
        listener: socket.socket,
        *,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
        on_count: Callable[[int], None] = lambda _count: None,
        fewest: Callable[[], int] = lambda: 0,
    ) -> None:
        """Answer with `app`; `on_count` hears how many connections are open, `fewest` tells it of the idlest worker."""
        self._socket, self._limits, self._tls = listener, limits, tls
        self._on_count, self._fewest = on_count, fewest
        self._state = ServerState()
        self._connect = make_connect(app, limits, self._state)
        self._accepting: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Accept from now on."""
        self._socket.settimeout(0)
        self._date()
        self._accepting = asyncio.ensure_future(self._accept())
        self._sweeping = asyncio.ensure_future(self._sweep())

    async def stop(self, seconds: float) -> None:
        """Stop accepting, let every request be answered, and close; at most `seconds`."""
        if self._accepting is not None:
            self._accepting.cancel()
        deadline = time.monotonic() + seconds
        for connection in list(self._state.connections):
            connection.shutdown()
        while (self._state.connections or self._state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(0.01)
        for task in list(self._state.tasks):
            task.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._state.connections)

    async def _accept(self) -> None:
        """Take connections, one at a time."""
        loop = asyncio.get_running_loop()
        while True:
            if self.connections > self._fewest() or self.connections >= self._limits.connections:
                await asyncio.sleep(_HOLD)
                if self.connections >= self._limits.connections:
                    continue
            try:
                connection, _ = await loop.sock_accept(self._socket)
            except OSError:  # the client was gone before it was greeted, or no file handles are left
                await asyncio.sleep(_HOLD)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:  # a handshake may take its time; others are taken meanwhile
                asyncio.ensure_future(self._greet(loop, connection))  # noqa: RUF006 - the loop holds what it waits for
            else:
                await self._greet(loop, connection)
            self._on_count(self.connections)

    async def _greet(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        try:
            await loop.connect_accepted_socket(
                self._connect, connection, ssl=self._tls, ssl_handshake_timeout=10.0 if self._tls else None
            )
        except (OSError, ssl.SSLError):
            connection.close()

    async def _sweep(self) -> None:
        """Close connections whose clients fell silent, and keep the date of answers."""
        while True:
            await asyncio.sleep(_SWEEP)
            self._date()
            now = time.monotonic()
            for connection in list(self._state.connections):
                if isinstance(connection, Connection) and connection.is_stale(now):
                    connection.transport.abort()
            self._on_count(self.connections)

    def _date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
