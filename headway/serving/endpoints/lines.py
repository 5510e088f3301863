"""JSON Lines: a row in each line, an answer in each line, in order and while they come; of any length."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.serving.deployments import Deployment
from headway.serving.endpoints.predict import answer_rows, choose, let_listen, user_of
from headway.serving.http import Request, dump, parse
from headway.serving.observing import Choice, Served
from headway.serving.refusals import FieldProblem, RefusalError, too_busy, too_large, wrong_input
from headway.serving.rows import Asked

if TYPE_CHECKING:
    from headway.serving.service import Service

_KIND = b"application/x-ndjson"
# Lines that are answered together.
_LINES_AT_ONCE = 64


async def predict_lines(service: Service, request: Request) -> None:
    """Answer each line; one that cannot be read is answered by its error, and the next ones all the same.

    While the model is busy no more is read, so a fast client waits instead of being refused.
    """
    user = user_of(request)
    deployment, choice = choose(service, request, None, user)
    stream = _Stream(service, request, deployment, choice, user)
    if deployment.batcher.waiting_rows >= service.limits.queue_rows:
        raise too_busy(deployment.batcher.seconds_of_queue())
    async for lines in _read_lines(service, request):
        if not request.started:
            await request.start_lines(_KIND)
        answers = await stream.answer(lines)
        await request.send_piece(b"".join(dump(answer) + b"\n" for answer in answers))
    if not request.started:
        raise wrong_input([FieldProblem(None, "body", "one JSON object a line", "an empty body")])
    await request.send_piece(b"", last=True)


async def _read_lines(service: Service, request: Request) -> AsyncIterator[list[bytes]]:
    """Yield lines as they come, many at a time; an empty line is passed over."""
    rest, more = b"", True
    while more:
        piece, more = await request.chunk(service.limits.body_seconds)
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > service.limits.body_bytes:
            raise too_large("a line", most=service.limits.body_bytes, got=f"{len(rest):,} bytes and no end")
        if not more:
            lines.append(rest)
        lines = [line for line in lines if line.strip()]
        for start in range(0, len(lines), _LINES_AT_ONCE):
            yield lines[start : start + _LINES_AT_ONCE]


@dataclass
class _Stream:
    """One request of many lines; `number` counts the lines that were answered."""

    service: Service
    request: Request
    deployment: Deployment
    choice: Choice
    user: str | None
    number: int = 0

    async def answer(self, lines: list[bytes]) -> list[dict[str, Any]]:
        """Return one answer for each line."""
        began = time.monotonic()
        answers: list[dict[str, Any]] = [{} for _ in lines]
        rows: list[dict[str, Any]] = []
        places: list[int] = []
        for place, line in enumerate(lines):
            try:
                rows.append(_row(line, self.number + place))
                places.append(place)
            except RefusalError as refusal:
                answers[place] = {"error": refusal.as_json(self.request.language)}
        if rows:
            found = await self._answer_each(rows, [self.number + place for place in places], began)
            for place, answer in zip(places, found, strict=True):
                answers[place] = _renumbered(answer, self.number + place)
        self.number += len(lines)
        return answers

    async def _answer_each(self, rows: list[dict[str, Any]], places: list[int], began: float) -> list[dict[str, Any]]:
        """Return one answer for each row and tell of them; an error of all of them stands in each."""
        asked = Asked(rows, partial=True)
        try:
            found = await answer_rows(self.service, self.request, self.deployment, asked, force=True)
        except RefusalError as refusal:
            self.service.missed(self.request, refusal.status, refusal.kind, time.monotonic() - began)
            return [{"error": refusal.as_json(self.request.language)}] * len(rows)
        served = Served(self.request.id, self.deployment.name, self.deployment.version, rows, found,
                        time.monotonic() - began, self.user, self.request.key, self.choice.arm,
                        places=places)  # fmt: skip
        self.service.done(served, self.deployment)
        let_listen(self.service, self.request, self.choice, served)
        return found


def _row(line: bytes, number: int) -> dict[str, Any]:
    """Return the row in a line; raises `RefusalError`."""
    row = parse(line)
    if not isinstance(row, dict):
        raise wrong_input([FieldProblem(number, "", "an object: column -> cell", type(row).__name__)])
    return row


def _renumbered(answer: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an answer whose problems name the line of the whole body."""
    if "error" not in answer or "problems" not in answer["error"]:
        return answer
    problems = [{**problem, "row": number} for problem in answer["error"]["problems"]]
    return {"error": {**answer["error"], "problems": problems}}
