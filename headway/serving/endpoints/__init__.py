"""What the service answers to, one module for each kind of request; only prediction is imported at the start."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from headway.serving.endpoints.predict import predict
from headway.serving.http import Request
from headway.serving.refusals import RefusalError

if TYPE_CHECKING:
    from headway.serving.service import Service

Endpoint = Callable[["Service", Request], Awaitable[None]]

# path -> method -> module and function; `*` stands for the name of a model.
ENDPOINTS: Mapping[str, Mapping[str, str]] = {
    "/v1/predict": {"POST": "predict:predict"},
    "/v1/completions": {"POST": "completions:completion"},
    "/v1/chat/completions": {"POST": "completions:chat"},
    "/v1/images/generations": {"POST": "images:generations"},
    "/v1/models": {"GET": "models:models"},
    "/v1/models/*": {"GET": "models:model"},
    "/v1/feedback": {"POST": "feedback:feedback"},
    "/v1/deploy": {"POST": "deploy:deploy"},
    "/v1/traffic": {"GET": "traffic:traffic"},
    "/health": {"GET": "health:health"},
    "/ready": {"GET": "health:ready"},
    "/metrics": {"GET": "metrics:metrics"},
    "/openapi.json": {"GET": "openapi:openapi"},
    "/": {"GET": "page:page"},
    "/live": {"GET": "page:live"},
    "/sign-in": {"POST": "page:sign_in"},
    "/page.css": {"GET": "page:style"},
    "/page.js": {"GET": "page:script"},
}


def find_endpoint(request: Request) -> Endpoint:
    """Return what answers a request; raises `RefusalError`: 404 for an unknown path, 405 for a wrong method."""
    if request.path == "/v1/predict" and request.method == "POST":
        return predict
    path = "/v1/models/*" if request.path.startswith("/v1/models/") else request.path
    if path not in ENDPOINTS:
        raise RefusalError(404, "not_found", f"there is nothing at {request.path[:80]!r}", next="see /openapi.json")
    methods = ENDPOINTS[path]
    method = "GET" if request.method == "HEAD" else request.method
    if method in methods:
        return _load(methods[method])
    if request.method == "OPTIONS":
        return _load("preflight:preflight")
    allowed = ", ".join(methods)
    text = f"{request.path} does not take {request.method[:20]}: expected {allowed}"
    raise RefusalError(405, "wrong_method", text, headers={"allow": allowed})


def _load(place: str) -> Endpoint:
    module, _, name = place.partition(":")
    endpoint: Endpoint = getattr(importlib.import_module(f"headway.serving.endpoints.{module}"), name)
    return endpoint
