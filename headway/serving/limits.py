"""How much one request, and all waiting ones together, may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the service; beyond them a request is refused with a status that says which one it met.

    `body_bytes`: a request's body (413). `rows`: rows of one JSON request (413; JSON Lines has no such bound).
    `queue_rows`: rows that may wait in one worker (429). `batch_rows`: rows that the model answers in one go, and
    `batch_seconds` how long such a batch should take at most. `timeout`: seconds a request may wait (504); a client may
    ask for less. `body_seconds`: how long a client may take to send its body (408). `head_bytes`: of all
    headers (431). `idle_seconds`: how long a connection may say nothing. `connections`: open at once in one worker.
    `package_bytes`: of a package that is deployed. `drain_seconds`: how long a stop may take. `texts`: written at
    once, and `queue_texts` how many more may wait for their turn (429).
    """

    body_bytes: int = 16 * 2**20
    rows: int = 1000
    queue_rows: int = 4096
    batch_rows: int = 64
    batch_seconds: float = 0.1
    timeout: float = 10.0
    body_seconds: float = 20.0
    head_bytes: int = 64 * 2**10
    idle_seconds: float = 75.0
    connections: int = 4096
    package_bytes: int = 2**31
    drain_seconds: float = 30.0
    texts: int = 8
    queue_texts: int = 64
