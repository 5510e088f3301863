"""`GET /v1/traffic`: the last ten minutes, slot by slot."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from headway.serving.http import Request
from headway.serving.telemetry import SLOT_SECONDS

if TYPE_CHECKING:
    from headway.serving.service import Service


async def traffic(service: Service, request: Request) -> None:
    """Answer with what the live pictures show."""
    moments = [asdict(moment) for moment in service.telemetry.moments()]
    await request.answer_json(200, {"slot_seconds": SLOT_SECONDS, "moments": moments})
