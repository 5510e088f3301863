"""`POST /v1/feedback`: what the right answer would have been, or what the answer was worth."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from headway.runtime.feeds.cells import shown
from headway.runtime.manifest import Manifest
from headway.serving.endpoints.predict import user_of, wrong_media
from headway.serving.http import Request, parse
from headway.serving.observing import Feedback
from headway.serving.refusals import FieldProblem, wrong_input

if TYPE_CHECKING:
    from headway.serving.service import Service

FIELDS = ("request_id", "row", "truth", "value", "model", "user", "note")
_LONGEST = {"request_id": 64, "user": 200, "note": 2000}
_BODY = 64 * 1024
# A whole number of any length is JSON; a column holds what a float does.
_MOST = 1e300


async def feedback(service: Service, request: Request) -> None:
    """Take a correction; `kept` in the answer tells whether this service keeps it."""
    if request.kind != "application/json":
        raise wrong_media(request)
    told = read_feedback(service, parse(await request.body(service.limits, most=_BODY)), user_of(request))
    kept = service.observe(lambda: service.observer.told(told))
    service.telemetry.add("feedback")
    if service.log is not None:
        service.log.write("feedback", request_id=told.request_id, row=told.row, model=told.name)
    await request.answer_json(202, {"kept": bool(kept), "request_id": told.request_id})


def read_feedback(service: Service, document: object, user: str | None = None) -> Feedback:
    """Return the feedback that a document holds, of `user` where it names none.

    Raises `RefusalError` (422, 404 for an unknown model).
    """
    if not isinstance(document, dict):
        raise wrong_input([FieldProblem(None, "body", "an object", shown(document))])
    wrong = [FieldProblem(None, name[:60], f"one of the fields {', '.join(FIELDS)}", "an unknown field")
             for name in document if name not in FIELDS]  # fmt: skip
    for name, longest in _LONGEST.items():
        value = document.get(name)
        if not isinstance(value, str | None) or len(value or "") > longest or (name == "request_id" and not value):
            wrong.append(FieldProblem(None, name, f"text of at most {longest} characters", shown(value)))
    row, model, value = document.get("row", 0), document.get("model"), document.get("value")
    if type(row) is not int or not 0 <= row < 10**9:
        wrong.append(FieldProblem(None, "row", "a whole number from 0 on", shown(row)))
    if not isinstance(model, str | None):
        wrong.append(FieldProblem(None, "model", "the name of a model", shown(model)))
    if value is not None and (type(value) not in {int, float} or not abs(value) < _MOST):
        wrong.append(FieldProblem(None, "value", "a number", shown(value)))
    if wrong:
        raise wrong_input(wrong)
    key = service.registry.find(model)
    manifest = service.registry.get(key).model.manifest
    is_silent = document.get("truth") is None and value is not None
    truth = None if is_silent else _truth(document, manifest)
    return Feedback(
        document["request_id"], row, truth, key, document.get("user") or user, document.get("note"),
        None if value is None else float(value),
    )  # fmt: skip


def _truth(document: dict[str, Any], manifest: Manifest) -> Any:
    """Return the right answer as the model would give it; raises `RefusalError` for one it never gives.

    Of several targets it is an object that names those whose right answer is known.
    """
    truth = document.get("truth")
    if manifest.targets:
        return _truths(truth, manifest)
    if manifest.task == "regress":
        if isinstance(truth, int | float) and not isinstance(truth, bool):
            return float(truth)
        raise wrong_input([FieldProblem(None, "truth", "a number", shown(truth))])
    for label in manifest.labels:
        if label == truth and isinstance(truth, bool) == isinstance(label, bool):
            return label
    named = {str(label): label for label in manifest.labels}
    if isinstance(truth, str) and truth in named:  # a form can only send text
        return named[truth]
    near = difflib.get_close_matches(str(truth), named, n=1)
    known = ", ".join(list(named)[:20]) + (", ..." if len(named) > 20 else "")
    fix = f"did you mean {near[0]!r}?" if near else ""
    raise wrong_input([FieldProblem(None, "truth", f"one of the labels {known}", shown(truth), fix)])


def _truths(truth: Any, manifest: Manifest) -> dict[str, Any]:
    """Return the right answers of some of several targets."""
    parts = {part.target: part for part in manifest.parts}
    if not isinstance(truth, dict) or not truth:
        expected = f"an object of targets and their right answers: {', '.join(parts)}"
        raise wrong_input([FieldProblem(None, "truth", expected, shown(truth))])
    for name in truth:
        if name not in parts:
            near = difflib.get_close_matches(str(name), parts, n=1)
            fix = f"did you mean {near[0]!r}?" if near else ""
            known = f"one of the targets {', '.join(parts)}"
            raise wrong_input([FieldProblem(None, f"truth.{name}"[:60], known, "an unknown target", fix)])
    return {name: _truth({"truth": value}, parts[name]) for name, value in truth.items()}
