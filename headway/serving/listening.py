"""Accept connections from a socket that all workers share, and let uvicorn's protocol speak HTTP on them.

Each worker takes one connection at a time and lets a worker with fewer go first, so that kept-open connections spread
evenly. The supervisor holds the socket, so what waits in it outlives any worker.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from headway.serving.limits import Limits

# How long a worker holds back that has more connections than another, or as many as it may, in seconds.
_HOLD, _FULL = 0.002, 0.05
_SWEEP = 1.0
_SO_ATTACH_FILTER = 26
# How long a connection without a request is kept when the service stops, in seconds.
_LINGER = 1.0
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the size of headers, and a note of when something last came."""

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        """Note when the connection was opened."""
        super().connection_made(transport)
        self.seen = time.monotonic()
        self.in_body = False
        # Bytes of headers, or of a body that nobody reads any more, since the last whole request.
        self.unread = 0

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, unless a client sends headers, or a body that was refused, without end."""
        self.seen = time.monotonic()
        if not self.is_waiting:
            super().data_received(data)
            return
        self.unread += len(data)
        super().data_received(data)
        if self.is_waiting and not self.transport.is_closing():
            if self.in_body and self.unread > self.limits.body_bytes:
                self.transport.close()
            elif not self.in_body and self.unread > self.limits.head_bytes:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        """Start counting anew: what follows is a body."""
        self.in_body, self.unread = True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that what follows is another request."""
        self.in_body, self.unread = False, 0
        super().on_message_complete()

    @property
    def is_waiting(self) -> bool:
        """Tell whether no request is being answered: the client is between two, or still sends headers."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def is_stale(self, now: float) -> bool:
        """Tell whether the client has been silent for too long: in its headers, or in taking its answer."""
        silent = now - self.seen
        if self.is_waiting:
            return silent > (self.limits.body_seconds if self.unread else self.limits.idle_seconds)
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
        self._state: Any = ServerState()  # its connections are ours, of the class above
        self._connect = make_connect(app, limits, self._state)
        self._greeting: set[asyncio.Task[None]] = set()
        self._held = self._stopping = False
        self._sweeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Accept from now on."""
        self._loop = asyncio.get_running_loop()
        self._socket.settimeout(0)
        self._date()
        self._listen()
        self._sweeping = asyncio.ensure_future(self._sweep())

    async def stop(self, seconds: float) -> int:
        """Stop accepting, let every request be answered, and close; return how many were not within `seconds`.

        Those are cut off: the application hears of it as a cancelled task, and may still say so. What had come to the
        socket is still taken. Connections without a request stay open for a moment, since one may be on its way; the
        application answers it as it thinks fit, and closes.
        """
        self._stopping = True
        self._loop.remove_reader(self._socket)
        turn_away(self._socket)
        while self._take():
            pass
        self._socket.close()
        deadline = time.monotonic() + seconds
        linger = min(deadline, time.monotonic() + _LINGER)
        for connection in list(self._state.connections):
            if not connection.is_waiting:
                connection.shutdown()
        while (self.connections or self._state.tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
            if time.monotonic() > linger:
                for connection in list(self._state.connections):
                    connection.shutdown()
        late = list(self._state.tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_LINGER)
        if self._sweeping is not None:
            self._sweeping.cancel()
        return len(late)

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._state.connections) + len(self._greeting)

    def _listen(self) -> None:
        if not self._stopping:
            self._loop.add_reader(self._socket, self._on_waiting)

    def _on_waiting(self) -> None:
        """Take one connection, or leave it for a moment to a worker that has fewer."""
        is_full = self.connections >= self._limits.connections
        if is_full or (self.connections > self._fewest() and not self._held):
            self._held = True
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_FULL if is_full else _HOLD, self._listen)
            return
        self._held = False
        self._take()
        self._on_count(self.connections)

    def _take(self) -> bool:
        """Take a connection that waits in the socket; return whether there was one."""
        try:
            connection, _ = self._socket.accept()
        except OSError:  # another worker took it, its client is gone, or no file handles are left
            return False
        connection.settimeout(0)
        task = self._loop.create_task(self._greet(connection))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)
        return True

    async def _greet(self, connection: socket.socket) -> None:
        """Let the protocol speak on a connection, after the handshake of TLS."""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
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


def turn_away(listener: socket.socket) -> None:
    """Let no new connection come to a listening socket while those that wait in it can still be taken.

    A socket filter that drops every packet (BPF `ret 0`), which on Linux any process may set for its own sockets.
    Elsewhere nothing happens, and a connection that comes at the very last moment is reset.
    """
    if sys.platform != "linux":
        return
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(drop))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
