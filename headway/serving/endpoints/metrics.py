"""`GET /metrics`: all figures of all workers, in the text format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.serving.http import Request

if TYPE_CHECKING:
    from headway.serving.service import Service


async def metrics(service: Service, request: Request) -> None:
    """Answer with the figures."""
    from prometheus_client import CONTENT_TYPE_LATEST

    from headway.serving.telemetry import expose

    content = expose(service.telemetry, service.numbers.all(), service.collectors)
    await request.answer(200, content, kind=CONTENT_TYPE_LATEST.encode("ascii"))
