"""`GET /v1/models` and `/v1/models/NAME`: what is served, what it reads and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headway.serving.deployments import Deployment
from headway.serving.http import Request
from headway.serving.refusals import no_model

if TYPE_CHECKING:
    from headway.serving.drawing.deployment import ImageDeployment
    from headway.serving.service import Service
    from headway.serving.writing.deployment import TextDeployment


async def models(service: Service, request: Request) -> None:
    """Answer with every deployment, twice: in the service's own words, and as OpenAI's clients read it (`data`)."""
    described = _describe_all(service)
    data = [_as_openai(each) for each in described]
    await request.answer_json(200, {"object": "list", "data": data, "models": described})


async def model(service: Service, request: Request) -> None:
    """Answer with one deployment, in both forms at once; raises `RefusalError` (404) for a name that is not served."""
    name = request.path.removeprefix("/v1/models/")
    described = _describe_all(service)
    found = next((each for each in described if each["name"] == name), None)
    if found is None:
        raise no_model(name, [each["name"] for each in described])
    await request.answer_json(200, {**found, **_as_openai(found)})


def _describe_all(service: Service) -> list[dict[str, Any]]:
    """Return every deployment in the service's own words."""
    described = [describe(deployment) for _, deployment in service.registry]
    described += [describe_writer(deployment) for deployment in service.writers.values()]
    return described + [describe_painter(deployment) for deployment in service.painters.values()]


def _as_openai(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment as OpenAI's clients read it."""
    created = _seconds(described["created"])
    return {"id": described["name"], "object": "model", "created": created, "owned_by": "headway"}


def describe_writer(deployment: TextDeployment) -> dict[str, Any]:
    """Return what a client needs to know about a deployment that writes text."""
    manifest = deployment.manifest
    facts = manifest.generation
    assert facts is not None
    return {
        "name": deployment.name,
        "version": deployment.version,
        "task": manifest.task,
        "window": facts.window,
        "chats": facts.chat is not None,
        "precision": facts.precision,
        "engine": deployment.engine.name,
        "winner": manifest.winner,
        "metrics": {name: value for name, value in manifest.metrics.items() if value == value},  # noqa: PLR0124
        "created": manifest.created,
    }


def describe_painter(deployment: ImageDeployment) -> dict[str, Any]:
    """Return what a client needs to know about a deployment that draws pictures."""
    manifest, facts = deployment.generator.manifest, deployment.generator.facts
    return {
        "name": deployment.name,
        "version": deployment.version,
        "task": manifest.task,
        "draws": f"{facts.width}x{facts.height}",
        "labels": list(manifest.labels),
        "winner": manifest.winner,
        "metrics": {name: value for name, value in manifest.metrics.items() if value == value},  # noqa: PLR0124
        "created": manifest.created,
    }


def _seconds(created: str) -> int:
    """Return a time as Unix seconds, 0 where a manifest says nothing that can be read."""
    try:
        return int(datetime.fromisoformat(created).timestamp())
    except ValueError:
        return 0


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
        **({"targets": [
            {"name": each.name, "task": each.task, "labels": list(each.labels)} for each in manifest.targets
        ]} if manifest.targets else {}),
        "winner": manifest.winner,
        "metrics": {name: value for name, value in manifest.metrics.items() if value == value},  # noqa: PLR0124
        "created": manifest.created,
    }  # fmt: skip
