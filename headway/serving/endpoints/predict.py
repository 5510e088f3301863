"""`POST /v1/predict`: rows in, answers out; as JSON, JSON Lines, or a form with pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headway.serving.batching import Wait
from headway.serving.deployments import Deployment
from headway.serving.http import Request, dump, parse
from headway.serving.observing import Choice, Failed, Plain, Routed, Served
from headway.serving.refusals import RefusalError
from headway.serving.rows import Asked, read_request, to_columns

if TYPE_CHECKING:
    from headway.serving.service import Service

LINES = frozenset({"application/x-ndjson", "application/jsonl", "application/jsonlines", "application/x-jsonlines"})


async def predict(service: Service, request: Request) -> None:
    """Answer the rows of one request."""
    service.check_open()
    kind = request.kind
    if kind in LINES:
        from headway.serving.endpoints.lines import predict_lines

        await predict_lines(service, request)
        return
    if kind == "application/json":
        asked = read_request(parse(await request.body(service.limits)), service.limits)
    elif kind == "multipart/form-data":
        from headway.serving.endpoints.forms import read_form

        asked = await read_form(service, request)
    else:
        raise wrong_media(request)
    user = asked.user or user_of(request)
    deployment, choice = choose(service, request, asked.model, user)
    answers = await answer_rows(service, request, deployment, asked)
    served = Served(request.id, deployment.name, deployment.version, asked.rows, answers,
                    time.monotonic() - request.began, user, request.key, choice.arm)  # fmt: skip
    await request.answer(200, write_answer(request, deployment, answers))
    service.done(served, deployment)
    let_listen(service, request, choice, served)


def user_of(request: Request) -> str | None:
    """Return the user that the header names, None without it."""
    return request.header(b"x-user-id") or None


def choose(service: Service, request: Request, name: str | None, user: str | None) -> tuple[Deployment, Choice]:
    """Return the deployment that answers, and the router's choice; the request remembers them."""
    deployment, choice = _pick(service, request, name, user)
    request.routed = Routed(deployment.name, deployment.version, user, choice.arm)
    return deployment, choice


def _pick(service: Service, request: Request, name: str | None, user: str | None) -> tuple[Deployment, Choice]:
    wanted = name if name is not None else request.query.get("model") if request.scope.get("query_string") else None
    known = service.registry.find(wanted)
    choice = service.router.pick(known, user, request.id)
    if type(service.router) is Plain:  # saves a look at what cannot be
        return service.registry.get(known), choice
    served = service.registry.keys()
    if choice.key not in served:  # an arm of an experiment that this service was not given
        return service.registry.get(known), Choice(known)
    shadows = [key for key in choice.shadows if key in served]
    return service.registry.get(choice.key), replace(choice, shadows=shadows)


async def answer_rows(
    service: Service, request: Request, deployment: Deployment, asked: Asked, *, force: bool = False
) -> list[dict[str, Any]]:
    """Return the answers for all rows; with `partial`, a row that cannot be read gets its problems instead."""
    wait = Wait(asked.timeout or service.limits.timeout, request.is_gone)
    try:
        columns, items = to_columns(asked.rows, deployment.reader)
        return await deployment.batcher.answer(columns, len(asked.rows), items=items, wait=wait, force=force)
    except RefusalError as refusal:
        if not asked.partial or refusal.status != 422 or any(problem.row is None for problem in refusal.fields):
            raise
        service.telemetry.add("wrong_rows", len({problem.row for problem in refusal.fields}))
        return await _answer_others(service, request, deployment, asked, refusal, force=force)


async def _answer_others(
    service: Service, request: Request, deployment: Deployment, asked: Asked, refusal: RefusalError, *, force: bool
) -> list[dict[str, Any]]:
    """Answer the rows that nothing is wrong with; the others carry their problems."""
    wrong: dict[int, list[dict[str, Any]]] = {}
    lang = request.language
    for problem in refusal.fields:
        wrong.setdefault(problem.row or 0, []).append(problem.as_json(lang))
    sound = [row for position, row in enumerate(asked.rows) if position not in wrong]
    found: Sequence[Mapping[str, Any]] = ()
    if sound:
        rest = replace(asked, rows=sound, partial=False)
        found = await answer_rows(service, request, deployment, rest, force=force)
    answers = iter(found)
    return [
        {"error": {"type": "wrong_input", "problems": wrong[position]}} if position in wrong else dict(next(answers))
        for position in range(len(asked.rows))
    ]


def let_listen(service: Service, request: Request, choice: Choice, served: Served) -> None:
    """Let the shadows of a choice answer, behind the client's back, what the client was answered."""
    if not choice.shadows:
        return
    numbered = zip(served.places or range(len(served.rows)), served.rows, served.answers, strict=True)
    answered = [(number, row) for number, row, answer in numbered if "prediction" in answer]
    if answered:
        heard = replace(served, rows=[row for _, row in answered], places=[number for number, _ in answered])
        for key in choice.shadows:
            service.background(_listen(service, request, service.registry.get(key), heard))


async def _listen(service: Service, request: Request, deployment: Deployment, heard: Served) -> None:
    """Let a shadow answer; only the observer hears of it, also where it cannot."""
    began, wait = time.monotonic(), Wait(service.limits.timeout, bool)
    try:
        columns, items = to_columns(heard.rows, deployment.reader)
        answers = await deployment.batcher.answer(columns, len(heard.rows), items=items, wait=wait)
    except Exception as error:  # noqa: BLE001 - whatever a shadow breaks on, its guardrail is to know
        status, kind = (error.status, error.kind) if isinstance(error, RefusalError) else (500, "failed")
        failed = Failed(request.id, deployment.name, deployment.version, status, kind, time.monotonic() - began,
                        heard.user, heard.arm, shadow=True)  # fmt: skip
        service.observe(lambda: service.observer.failed(failed))
        return
    served = replace(heard, name=deployment.name, version=deployment.version, answers=answers,
                     seconds=time.monotonic() - began, shadow=True)  # fmt: skip
    service.observe(lambda: service.observer.served(served))


def write_answer(request: Request, deployment: Deployment, answers: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the answer to a request as JSON text."""
    return dump(
        {"predictions": answers, "model": deployment.name, "version": deployment.version, "request_id": request.id}
    )


def wrong_media(request: Request) -> RefusalError:
    """Return the 415 for a body of another kind."""
    got = request.kind[:60] or "no content-type"
    text = f"the body has a kind that is not read here: expected application/json, application/x-ndjson or \
multipart/form-data, got {got}"
    return RefusalError(415, "wrong_media_type", text, next="send the header content-type: application/json")
