"""A request and its answers on the wire: the little of ASGI that the service needs."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from headway.serving.limits import Limits
from headway.serving.observing import Routed
from headway.serving.refusals import RefusalError, too_large

if TYPE_CHECKING:
    from headway.report.translation import Lang

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
JSON = b"application/json"


class ClientGoneError(Exception):
    """The client hung up; nobody is left to be answered."""


class Request:
    """One request: its headers by name, its id, and its body, read within the limits.

    `began` is on the monotonic clock. `key` is filled in once the API key was checked,
    `routed` once a deployment was chosen.
    """

    __slots__ = (
        "_receive",
        "_send",
        "began",
        "extra",
        "headers",
        "id",
        "key",
        "method",
        "path",
        "routed",
        "scope",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request as ASGI hands it over; a wellformed X-Request-ID is kept."""
        self.scope, self._receive, self._send = scope, receive, send
        self.began = time.monotonic()
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"")
        self.id = given.decode("ascii") if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.key: str | None = None
        self.routed: Routed | None = None
        # Headers that every answer to this request carries.
        self.extra: list[tuple[bytes, bytes]] = []
        self.started = False
        self.status = 0

    def header(self, name: bytes) -> str:
        """Return a header's value as text, "" where it is absent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def kind(self) -> str:
        """Return the media type of the body, in lower case, without parameters."""
        return self.header(b"content-type").partition(";")[0].strip().lower()

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the address."""
        return dict(parse_qsl(self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))

    @property
    def is_gone(self) -> Callable[[], bool]:
        """Return a function that tells whether the client has hung up.

        uvicorn's `receive` belongs to an object that knows; waiting for the message that says so would cost a task for
        each request. Other servers' clients count as there.
        """
        cycle = getattr(self._receive, "__self__", None)
        return lambda: bool(getattr(cycle, "disconnected", False))

    @property
    def _is_whole(self) -> bool:
        """Tell whether the body has come as a whole, so that no clock needs to watch over it."""
        return getattr(getattr(self._receive, "__self__", None), "more_body", True) is False

    async def body(self, limits: Limits, *, most: int | None = None) -> bytes:
        """Return the body; raises `RefusalError` (413 beyond the bound, 408 for a slow client)."""
        bound = limits.body_bytes if most is None else most
        self.check_length(bound)
        first = await (self._receive() if self._is_whole else self._message(limits.body_seconds))
        if first["type"] == "http.disconnect":
            raise ClientGoneError
        if not first.get("more_body"):
            whole: bytes = first.get("body", b"")
            if len(whole) > bound:
                raise too_large("the body", most=bound, got=len(whole))
            return whole
        parts, size = [first["body"]], len(first["body"])
        deadline = time.monotonic() + limits.body_seconds
        while True:
            message = await self._message(deadline - time.monotonic())
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > bound:
                raise too_large("the body", most=bound, got=f"more than {bound:,} bytes")
            if not message.get("more_body"):
                return b"".join(parts)

    def check_length(self, most: int) -> int | None:
        """Return the announced length, None without one; raises `RefusalError` (413) where it is beyond the bound."""
        announced = self.headers.get(b"content-length", b"")
        length = int(announced[:20]) if announced.isdigit() else None
        if length is not None and length > most:
            raise too_large("the body", most=most, got=f"{length:,} bytes")
        return length

    async def chunk(self, seconds: float) -> tuple[bytes, bool]:
        """Return the next piece of the body and whether more follows."""
        message = await self._message(seconds)
        return message.get("body", b""), bool(message.get("more_body"))

    async def _message(self, seconds: float) -> MutableMapping[str, Any]:
        """Return the next message; raises `RefusalError` (408) after `seconds` and `ClientGoneError`."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                message = await self._receive()
        except TimeoutError:
            text = "the body did not come in time"
            raise RefusalError(408, "too_slow", text, headers={"connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        return message

    async def answer(
        self, status: int, content: bytes, *, kind: bytes = JSON, headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Send a whole answer."""
        self.status, self.started = status, True
        lines = [
            (b"content-type", kind),
            (b"content-length", b"%d" % len(content)),
            (b"x-request-id", self.id.encode("ascii")),
        ]
        await self._send(
            {"type": "http.response.start", "status": status, "headers": [*lines, *self.extra, *(headers or [])]}
        )
        await self._send({"type": "http.response.body", "body": content})

    async def answer_json(self, status: int, document: object) -> None:
        """Send a JSON document."""
        await self.answer(status, dump(document))

    @property
    def language(self) -> Lang:
        """Return the language that errors are told in: Chinese where `lang` or Accept-Language asks for it."""
        asked = self.query.get("lang") or preferred(self.header(b"accept-language"))
        return "zh" if asked == "zh" else "en"

    async def refuse(self, refusal: RefusalError) -> None:
        """Send an error."""
        lang = self.language
        document = {"error": {**refusal.as_json(lang), "request_id": self.id}}
        headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        headers += [(b"content-language", b"zh-CN")] if lang == "zh" else []
        await self.answer(refusal.status, dump(document), headers=headers)

    async def start_lines(self, kind: bytes) -> None:
        """Begin an answer that is sent in pieces."""
        self.status, self.started = 200, True
        headers = [(b"content-type", kind), (b"x-request-id", self.id.encode("ascii")), (b"cache-control", b"no-store"),
                   *self.extra]  # fmt: skip
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send_piece(self, content: bytes, *, last: bool = False) -> None:
        """Send a piece of an answer."""
        await self._send({"type": "http.response.body", "body": content, "more_body": not last})


def preferred(accepted: str) -> str:
    """Return which of our languages an Accept-Language names first, "" where it names none."""
    places = {word: accepted.lower().find(word) for word in ("zh", "en")}
    named = [word for word, place in places.items() if place >= 0]
    return min(named, key=lambda word: places[word], default="")


def parse(content: bytes) -> object:
    """Return what JSON text holds; raises `RefusalError` (400) that says where it breaks."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, "not_json", f"the body is not JSON: {str(error)[:150]}") from error


def dump(document: object) -> bytes:
    """Return a document as JSON text."""
    return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)
