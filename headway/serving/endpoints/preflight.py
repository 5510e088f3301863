"""`OPTIONS`: what a page of an allowed origin may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.serving.http import Request

if TYPE_CHECKING:
    from headway.serving.service import Service


async def preflight(service: Service, request: Request) -> None:
    """Answer a browser's question before a request of another origin; `Access` has judged the origin already."""
    headers = [(b"access-control-allow-methods", b"GET, POST, OPTIONS"),
               (b"access-control-allow-headers", b"authorization, content-type, x-api-key, x-request-id, x-user-id"),
               (b"access-control-max-age", b"600")]  # fmt: skip
    await request.answer(204, b"", headers=headers if service.access.origins else [])
