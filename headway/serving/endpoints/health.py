"""`GET /health`: the process lives; `GET /ready`: it takes requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.serving.http import Request
from headway.serving.refusals import RefusalError

if TYPE_CHECKING:
    from headway.serving.service import Service


async def health(service: Service, request: Request) -> None:
    """Answer that this worker lives; a load balancer asks `/ready` instead."""
    del service
    await request.answer_json(200, {"status": "alive"})


async def ready(service: Service, request: Request) -> None:
    """Answer whether this worker takes requests: 503 before its models are open and while it drains."""
    service.check_open()
    served = [*service.registry.keys(), *service.writers, *service.painters]
    if not service.is_ready or not served:
        raise RefusalError(503, "not_ready", "the models are not open yet", headers={"retry-after": "1"})
    await request.answer_json(200, {"status": "ready", "models": served})
