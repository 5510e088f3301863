"""`POST /v1/images/generations`: pictures of a label, or of any."""

from __future__ import annotations

import base64
import io
import time
from typing import TYPE_CHECKING

import numpy as np

from headway.runtime.image_generation import as_image
from headway.serving.drawing.asked import check_size, place_of, read_pictures
from headway.serving.http import Request, parse
from headway.serving.observing import Routed

if TYPE_CHECKING:
    from headway.serving.service import Service


async def generations(service: Service, request: Request) -> None:
    """Draw pictures and answer with them as PNG in base64."""
    service.check_open()
    asked = read_pictures(parse(await request.body(service.limits)))
    deployment = service.painter(asked.model)
    request.routed = Routed(deployment.name, deployment.version)
    check_size(asked, deployment.generator)
    label = place_of(asked, deployment.generator)
    pictures = await deployment.draw(
        asked.count, label=label, seed=asked.seed, seconds=service.limits.timeout, queue=service.limits.queue_texts
    )
    data = [{"b64_json": encode_png(picture)} for picture in pictures]
    facts = deployment.generator.facts
    await request.answer_json(200, {
        "created": int(time.time()), "data": data, "output_format": "png", "size": f"{facts.width}x{facts.height}",
    })  # fmt: skip
    service.drew(deployment, time.monotonic() - request.began, len(data))


def encode_png(picture: np.ndarray) -> str:
    """Return a picture as a PNG file in base64."""
    kept = io.BytesIO()
    as_image(picture).save(kept, "PNG")
    return base64.b64encode(kept.getvalue()).decode("ascii")
