"""Serve packages over HTTP: batching, limits, keys, live figures, hot swap.

The parent process (`supervisor`) holds the port and starts workers; each worker is an ASGI application (`service`) that
uvicorn's protocol drives. Everything a request passes on its way is a module of its own, none knows HTTP but `service`
and `endpoints`.
"""

from __future__ import annotations
