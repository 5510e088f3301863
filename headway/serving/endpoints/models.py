"""`GET /v1/models`: what is served, what it reads and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.serving.deployments import Deployment
from headway.serving.http import Request

if TYPE_CHECKING:
    from headway.serving.service import Service


async def models(service: Service, request: Request) -> None:
    """Answer with every deployment."""
    await request.answer_json(200, {"models": [describe(deployment) for _, deployment in service.registry]})


def describe(deployment: Deployment) -> dict[str, Any]:
    """Return what a client needs to know about a deployment."""
    manifest = deployment.model.manifest
    return {
        "name": deployment.name,
        "version": deployment.version,
        "task": manifest.task,
        "target": manifest.target,
        "inputs": [
            {"name": column.name, "modality": column.modality, "example": column.example,
             **({"categories": list(column.categories)} if column.categories else {})}
            for column in manifest.inputs if column.name in deployment.reader.columns
        ],
        "labels": list(manifest.labels),
        "winner": manifest.winner,
        "metrics": {name: value for name, value in manifest.metrics.items() if value == value},  # noqa: PLR0124
        "created": manifest.created,
    }  # fmt: skip
