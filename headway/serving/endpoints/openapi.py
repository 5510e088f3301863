"""`GET /openapi.json`: the API as OpenAPI 3.1, with schemas and examples made from the packages that are served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import headway
from headway.runtime.manifest import InputColumn, Label
from headway.serving.deployments import Deployment
from headway.serving.http import Request
from headway.serving.limits import Limits

if TYPE_CHECKING:
    from headway.serving.service import Service

_CELLS: dict[str, dict[str, Any]] = {
    "text": {"type": ["string", "number", "boolean", "null"]},
    "category": {"type": ["string", "number", "boolean", "null"]},
    "number": {"type": ["number", "string", "boolean", "null"], "description": 'A number, also as text: "1,250.5".'},
    "date": {"type": ["string", "number", "null"], "description": "ISO 8601 such as 2026-01-31T12:00:00Z."},
    "image": {"type": ["string", "null"], "description": "A picture file as base64 text or as a data: URL."},
}
_ERRORS = {
    "400": "The body is not JSON, or not a form.",
    "401": "No key, or one that is not known.",
    "403": "The key, the page's origin or the host's name may not do this.",
    "404": "There is no model of that name.",
    "408": "The body did not come in time.",
    "409": "The package must not be released; the message and its problem have the figures.",
    "413": "The body or the number of rows is beyond the bound.",
    "415": "The body has a kind that is not read.",
    "422": "The input does not fit: row, field, expected and got of each problem.",
    "429": "Too many rows wait, or the key asks too often; see Retry-After.",
    "500": "The fault is in the service; its log says more.",
    "501": "This service cannot exchange its packages.",
    "503": "The service is stopping or not ready yet; see Retry-After.",
    "504": "No answer within the time that was asked for.",
    "507": "The disk has no room for the package.",
}

_MODEL = {"name": "model", "in": "query", "schema": {"type": "string"},
          "description": "The name of a model, where the body names none; the first one by default."}  # fmt: skip
_USER = {"name": "X-User-ID", "in": "header", "schema": {"type": "string", "maxLength": 200},
         "description": "Whose request it is, where the body names nobody: keeps an arm of an experiment."}  # fmt: skip
_REQUEST_ID = {"name": "X-Request-ID", "in": "header",
               "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
               "description": "Kept as the request's id; another is made without it."}  # fmt: skip
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer", "minimum": 1},
                                "description": "Seconds after which to come back."}}  # fmt: skip
_TEXT_ERRORS = ("400", "401", "403", "404", "429", "503", "504")


async def openapi(service: Service, request: Request) -> None:
    """Answer with the document."""
    await request.answer_json(200, make_document(service))


def make_document(service: Service) -> dict[str, Any]:
    """Return the OpenAPI document of what `service` serves."""
    deployments = [deployment for _, deployment in service.registry]
    first = deployments[0] if deployments else None
    names = [*(each.name for each in deployments), *service.writers, *service.painters]
    return {
        "openapi": "3.1.0",
        "info": {"title": " · ".join(names) or "Headway", "version": headway.__version__},
        "paths": {
            "/v1/predict": {"post": _predict(deployments, service.limits)},
            "/v1/feedback": {"post": _feedback(first)},
            **(_texts(list(service.writers)) if service.writers else {}),
            **(_pictures(list(service.painters)) if service.painters else {}),
            "/v1/deploy": {"post": _deploy()},
            "/v1/models": {"get": _get("What is served: inputs, labels, figures.", ("200", "401", "403", "429"))},
            "/v1/models/{model}": {"get": _model(names)},
            "/v1/traffic": {"get": _get("The last ten minutes, slot by slot.", ("200", "401", "403", "429"))},
            "/health": {"get": _get("The process lives.", ("200",))},
            "/ready": {"get": _get("Requests are taken.", ("200", "503"))},
            "/metrics": {"get": _get("Figures of all processes, for Prometheus.", ("200", "401", "403", "429"),
                                     kind="text/plain")},
            "/openapi.json": {"get": _get("This document.", ("200", "401", "403", "429"))},
        },
        "components": {
            "schemas": {"Error": _ERROR, **{f"Row-{i}": _row(each) for i, each in enumerate(deployments)},
                        **{f"Form-{i}": _form(each) for i, each in enumerate(deployments)}},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}] if service.access.keys is not None else [],
    }  # fmt: skip


def _texts(names: list[str]) -> dict[str, Any]:
    """Return the paths of text; their whole form is that of OpenAI's API, and what it has not is refused by name."""

    def path(summary: str, example: dict[str, Any]) -> dict[str, Any]:
        body = {"type": "object", "properties": {"model": {"enum": names}, "stream": {"type": "boolean"}}}
        content = {"application/json": {"schema": body, "example": {"model": names[0], **example}}}
        kinds = {"application/json": {"schema": {"type": "object"}},
                 "text/event-stream": {"schema": {"type": "string"}}}  # fmt: skip
        answers = {"200": {"description": "As OpenAI's API answers.", "content": kinds}, **_failures(*_TEXT_ERRORS)}
        asked = {"required": True, "content": content}
        return {"post": {"summary": summary, "requestBody": asked, "responses": answers}}

    return {
        "/v1/chat/completions": path("Answer a conversation.", {"messages": [{"role": "user", "content": "Hello"}]}),
        "/v1/completions": path("Continue a text.", {"prompt": "Once upon a time"}),
    }


def _pictures(names: list[str]) -> dict[str, Any]:
    """Return the path of pictures; its form is that of OpenAI's API, and what it has not is refused by name."""
    fields = {
        "model": {"enum": names},
        "prompt": {"type": "string", "description": "The label to draw; empty for any."},
        "n": {"type": "integer", "minimum": 1, "maximum": 64},
        "seed": {"type": "integer", "minimum": 0, "description": "The same seed draws the same pictures."},
        "response_format": {"enum": ["b64_json"]},
    }
    example = {"model": names[0], "prompt": "", "n": 4, "seed": 1}
    content = {"application/json": {"schema": {"type": "object", "properties": fields}, "example": example}}
    kinds = {"application/json": {"schema": {"type": "object"}}}
    answers = {"200": {"description": "As OpenAI's API answers: PNG files in base64.", "content": kinds},
               **_failures(*_TEXT_ERRORS)}  # fmt: skip
    asked = {"required": True, "content": content}
    return {"/v1/images/generations": {"post": {"summary": "Draw.", "requestBody": asked, "responses": answers}}}


def example_rows(deployment: Deployment) -> list[dict[str, Any]]:
    """Return one row with the examples of the package, as a client would send it."""
    known = {column.name: column for column in deployment.model.manifest.inputs}
    return [{name: _example(known[name]) if name in known else None for name in deployment.reader.columns}]


# One transparent pixel, so that the example of a picture can be sent as it stands.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def _example(column: InputColumn) -> Any:
    if column.modality == "image":
        return PIXEL
    if column.example is not None:
        return column.example
    plain = {"text": "an example", "number": 0, "date": "2026-01-31", "category": next(iter(column.categories), "")}
    return plain.get(column.modality)


def _row(deployment: Deployment) -> dict[str, Any]:
    """Return the schema of one row; further columns are allowed and not read."""
    known = {column.name: column for column in deployment.model.manifest.inputs}
    cells = {}
    for name in deployment.reader.columns:
        column = known.get(name) or InputColumn(name, "text")
        schema = dict(_CELLS.get(column.modality, {}))
        if column.categories:
            schema["examples"] = list(column.categories[:20])
        cells[name] = {**schema, "title": f"{name} ({column.modality})"}
    return {"type": "object", "properties": cells, "required": list(cells), "title": f"A row for {deployment.name}"}


def _form(deployment: Deployment) -> dict[str, Any]:
    """Return the schema of a form: a field or file for each column, repeated for further rows."""
    known = {column.name: column for column in deployment.model.manifest.inputs}
    fields: dict[str, Any] = {}
    for name in deployment.reader.columns:
        is_picture = name in known and known[name].modality == "image"
        cell = {"type": "string", "contentMediaType": "image/*"} if is_picture else {"type": "string"}
        fields[name] = {"anyOf": [cell, {"type": "array", "items": cell}], "title": name}
    wishes = {"model": {"type": "string"}, "user": {"type": "string", "maxLength": 200}}
    return {"type": "object", "properties": {**wishes, **fields}, "required": list(fields),
            "title": f"A form for {deployment.name}"}  # fmt: skip


def _predict(deployments: list[Deployment], limits: Limits) -> dict[str, Any]:
    rows = [{"$ref": f"#/components/schemas/Row-{number}"} for number in range(len(deployments))]
    forms = [{"$ref": f"#/components/schemas/Form-{number}"} for number in range(len(deployments))]
    row: dict[str, Any] = rows[0] if len(rows) == 1 else {"anyOf": rows or [{"type": "object"}]}
    body = {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {
            "rows": {"type": "array", "items": row, "minItems": 1, "maxItems": limits.rows},
            "model": {"type": ["string", "null"], "description": "The name of a model; the first one by default."},
            "user": {"type": ["string", "null"], "maxLength": 200, "description": "Keeps an arm of an experiment."},
            "partial": {"type": "boolean", "description": "Answer the other rows where some cannot be read."},
            "timeout": {"type": ["number", "null"], "exclusiveMinimum": 0, "description": "Seconds to wait at most."},
        },
    }
    examples = {each.name: {"value": {"rows": example_rows(each), "model": each.name}} for each in deployments}
    answers = {each.name: {"value": _answer(each)} for each in deployments}
    return {
        "summary": "Answer rows.",
        "parameters": [_MODEL, _USER, _REQUEST_ID],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": body, "examples": examples},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": "one row as JSON in each line"},
                "multipart/form-data": {"schema": {"anyOf": forms or [{"type": "object"}]}},
            },
        },
        "responses": {
            "200": {
                "description": "One prediction for each row, in order.",
                "content": {"application/json": {"schema": _ANSWER, "examples": answers},
                            "application/x-ndjson": {"schema": {"type": "string"}}},
            },
            **_failures("400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503", "504"),
        },
    }  # fmt: skip


def _answer(deployment: Deployment) -> dict[str, Any]:
    """Return what an answer looks like."""
    manifest = deployment.model.manifest
    prediction = _example_answer(manifest.labels)
    if manifest.targets:
        each = {target.name: _example_answer(target.labels) for target in manifest.targets}
        prediction = {"prediction": {name: own["prediction"] for name, own in each.items()}, "targets": each}
    return {"predictions": [prediction], "model": deployment.name, "version": deployment.version,
            "request_id": "3f9a0c1d2e4b5a69"}  # fmt: skip


def _example_answer(labels: Sequence[Label]) -> dict[str, Any]:
    """Return what an answer for one target looks like."""
    if not labels:
        return {"prediction": 12.5}
    shares = {str(label): round(1 / len(labels), 6) for label in labels}
    return {"prediction": labels[0], "confidence": next(iter(shares.values())), "probabilities": shares}


def _feedback(deployment: Deployment | None) -> dict[str, Any]:
    truth = 12.5 if deployment is None else _answer(deployment)["predictions"][0]["prediction"]
    body: dict[str, Any] = {
        "type": "object",
        "required": ["request_id"],
        "anyOf": [{"required": ["truth"]}, {"required": ["value"]}],
        "additionalProperties": False,
        "properties": {
            "request_id": {"type": "string", "minLength": 1, "maxLength": 64},
            "row": {"type": "integer", "minimum": 0, "maximum": 10**9 - 1},
            "truth": {"description": "The right label or value; of several targets an object of those that are known."},
            "value": {"type": ["number", "null"], "description": "What the answer was worth, such as a purchase."},
            "model": {"type": ["string", "null"]},
            "user": {"type": ["string", "null"], "maxLength": 200},
            "note": {"type": ["string", "null"], "maxLength": 2000},
        },
    }
    example = {"request_id": "3f9a0c1d2e4b5a69", "row": 0, "truth": truth}
    return {
        "summary": "Tell what the right answer was, or what the answer was worth.",
        "parameters": [_USER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {
            "202": {"description": "Taken; `kept` tells whether this service keeps it.",
                    "content": {"application/json": {"schema": {"type": "object"}}}},
            **_failures("400", "401", "403", "404", "408", "413", "415", "422", "429"),
        },
    }  # fmt: skip


def _deploy() -> dict[str, Any]:
    package = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    name = {"name": "name", "in": "query", "schema": {"type": "string"},
            "description": "The name it answers to; the package's own by default."}  # fmt: skip
    force = {"name": "force", "in": "query", "schema": {"enum": ["1", "true"]},
             "description": "Compare it with nothing that is served."}  # fmt: skip
    found = {"deployed": {"type": "object", "description": "What was found: name, version, replaces, figures."},
             "request_id": {"type": "string"}}  # fmt: skip
    content = {"application/json": {"schema": {"type": "object", "required": list(found), "properties": found}}}
    kinds = ("application/octet-stream", "application/zip")
    return {
        "summary": "Exchange a package in all processes, once it is proven.",
        "parameters": [name, force],
        "requestBody": {"required": True, "description": "A .headway file.", "content": dict.fromkeys(kinds, package)},
        "responses": {
            "200": {"description": "It is served now.", "content": content},
            **_failures("401", "403", "408", "409", "413", "415", "429", "501", "503", "507"),
        },
    }


def _model(names: list[str]) -> dict[str, Any]:
    """Return the path of one of the models, a parameter of the path."""
    parameter = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    found = _get("One model that is served, in OpenAI's form and Headway's.", ("200", "401", "403", "404", "429"))
    return {**found, "parameters": [{**parameter, "example": names[0]} if names else parameter]}


def _get(summary: str, statuses: tuple[str, ...], *, kind: str = "application/json") -> dict[str, Any]:
    content = {kind: {"schema": {"type": "object" if kind == "application/json" else "string"}}}
    found = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": {**found, **_failures(*statuses[1:])}}


def _failures(*statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": _ERRORS[status], "content": content,
                     **({"headers": _RETRY_AFTER} if status in {"429", "503"} else {})}
            for status in statuses}  # fmt: skip


_PROBLEM = {
    "type": "object",
    "properties": {
        "row": {"type": "integer", "description": "Counts from 0 in the rows that were sent."},
        "field": {"type": "string"},
        "expected": {"type": "string"},
        "got": {"type": "string"},
        "next": {"type": "string"},
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "message", "request_id"],
            "properties": {
                "type": {"type": "string"},
                "message": {"type": "string"},
                "problems": {"type": "array", "items": _PROBLEM},
                "next": {"type": "string"},
                "request_id": {"type": "string"},
            },
        }
    },
}
_ANSWER_FOR_ONE = {
    "prediction": {"type": ["string", "number", "boolean"]},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
}
_ANSWER = {
    "type": "object",
    "required": ["predictions", "model", "version", "request_id"],
    "properties": {
        "predictions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **_ANSWER_FOR_ONE,
                    "prediction": {
                        "type": ["string", "number", "boolean", "object"],
                        "description": "The answer; of several targets an object with the answer for each.",
                    },
                    "targets": {
                        "type": "object",
                        "description": "Only of several targets: all that is answered for each.",
                        "additionalProperties": {"type": "object", "properties": _ANSWER_FOR_ONE},
                    },
                    "error": {"type": "object"},
                },
            },
        },
        "model": {"type": "string"},
        "version": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
