"""Ask a Headway service from Python: the same calls, waiting or async.

>>> import headway
>>> with headway.Client("http://localhost:8000") as client:  # doctest: +SKIP
...     client.predict([{"review": "房间很大，服务也好。"}])
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from headway.serving.wire import (
    AGAIN,
    Answered,
    Trust,
    import_httpx,
    may_ask_again,
    reaching,
    to_answered,
    to_archive,
    to_document,
    to_error,
    to_json,
    to_lines,
    to_trust,
    unreached,
)

if TYPE_CHECKING:
    import httpx

_LONGEST_PAUSE = 5.0
_JSON = {"content-type": "application/json"}
_LINES = {"content-type": "application/x-ndjson"}


class _Caller:
    """What both clients share: how requests look and what answers mean."""

    def __init__(self, url: str, *, key: str | None, timeout: float, tries: int) -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._timeout, self._tries = timeout, tries

    def _rows(
        self, rows: Sequence[Mapping[str, Any]], *, model: str | None, user: str | None, partial: bool,
        timeout: float | None,
    ) -> bytes:  # fmt: skip
        document = {"rows": [{name: to_json(cell) for name, cell in row.items()} for row in rows]}
        return _dump({**document, "model": model, "user": user, "partial": partial or None, "timeout": timeout})

    def _feedback(
        self, request_id: str, truth: Any, *, row: int, value: float | None, user: str | None, model: str | None
    ) -> bytes:
        said = {"request_id": request_id, "row": row, "user": user, "model": model}
        return _dump({**said, "truth": to_json(truth), "value": to_json(value)})

    def _pause(self, got: httpx.Response | Exception, attempt: int) -> float | None:
        """Return how long to wait before the next try: as the service says, else longer each time; None for no more."""
        if isinstance(got, Exception):
            is_worth_it, told = may_ask_again(got), ""
        else:
            is_worth_it, told = got.status_code in AGAIN, got.headers.get("retry-after", "")
        if not is_worth_it or attempt + 1 >= self._tries:
            return None
        return min(_LONGEST_PAUSE, float(told) if told.isdigit() else 0.1 * 2**attempt)

    def _read(self, got: httpx.Response | Exception) -> Any:
        """Return the document that came at last; raises the error that came instead."""
        if isinstance(got, Exception):
            raise unreached(self._url, got) from got
        return to_document(got)


class Client(_Caller):
    """A client that waits; keeps its connections open, so make one and use it for long. Safe between threads."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 30.0,
        tries: int = 4,
        verify: Trust = True,
    ) -> None:
        """Ask the service at `url`.

        A request that was refused unread (429, 503, no connection) or whose connection broke, as where a process of the
        service died, is asked again, `tries` times in all. `verify` says whom to trust over HTTPS: a file or folder of
        certificates (of a self-signed service its own), an `ssl.SSLContext`, or False for anybody. Raises `InputError`
        for certificates that cannot be read.
        """
        super().__init__(url, key=key, timeout=timeout, tries=tries)
        self._http = import_httpx().Client(
            base_url=self._url, headers=self._headers, timeout=timeout, verify=to_trust(verify)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        user: str | None = None,
        partial: bool = False,
        timeout: float | None = None,
    ) -> Answered:
        """Return the answers for some rows (column -> cell; a picture as path, bytes, Pillow image or uint8 array).

        `user` keeps a person in the same arm of an experiment; with `partial` rows that cannot be read carry an
        `error` instead of failing all. Raises `InputError` (422, naming row and field) and `ServiceError`.
        """
        asked = self._rows(rows, model=model, user=user, partial=partial, timeout=timeout)
        return to_answered(self._ask("POST", "/v1/predict", asked))

    def stream(self, rows: Iterable[Mapping[str, Any]], *, model: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield one answer for each row while they come, for any number of rows; bad ones are answered by `error`."""
        query = {"model": model} if model else {}
        with (
            reaching(self._url),
            self._http.stream("POST", "/v1/predict", content=to_lines(rows), params=query, headers=_LINES) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                raise to_error(answer)
            for line in answer.iter_lines():
                yield json.loads(line)

    def feedback(
        self,
        request_id: str,
        truth: Any = None,
        *,
        row: int = 0,
        value: float | None = None,
        user: str | None = None,
        model: str | None = None,
    ) -> bool:
        """Tell the right answer for a row of an earlier request, what its answer was worth (`value`), or both.

        `user` is whose feedback it is: `headway store forget` finds it by that. Return whether the service keeps it.
        """
        said = self._feedback(request_id, truth, row=row, value=value, user=user, model=model)
        return bool(self._ask("POST", "/v1/feedback", said)["kept"])

    def models(self) -> list[dict[str, Any]]:
        """Return what is served: name, version, inputs, labels and figures of each."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/models")["models"]
        return found

    def deploy(self, package: Path | str, *, name: str | None = None, force: bool = False) -> dict[str, Any]:
        """Exchange a package in the running service; raises `PackageError` with figures where it is refused."""
        query = {key: value for key, value in (("name", name), ("force", "1" if force else None)) if value}
        headers = {"content-type": "application/octet-stream"}
        with reaching(self._url):
            answer = self._http.post("/v1/deploy", content=to_archive(Path(package)), params=query, headers=headers,
                                     timeout=import_httpx().Timeout(self._timeout, read=300))  # fmt: skip
        if answer.status_code != 200:
            raise to_error(answer)
        found: dict[str, Any] = answer.json()["deployed"]
        return found

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        attempt = 0
        while (pause := self._pause(got := self._send(method, path, body), attempt)) is not None:
            time.sleep(pause)
            attempt += 1
        return self._read(got)

    def _send(self, method: str, path: str, body: bytes | None) -> httpx.Response | Exception:
        try:
            got: httpx.Response | Exception = self._http.request(method, path, content=body, headers=_JSON)
        except import_httpx().TransportError as error:
            got = error
        return got


class AsyncClient(_Caller):
    """The same for asyncio; see `Client` for the meaning of the arguments."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 30.0,
        tries: int = 4,
        verify: Trust = True,
    ) -> None:
        """Ask the service at `url`."""
        super().__init__(url, key=key, timeout=timeout, tries=tries)
        self._http = import_httpx().AsyncClient(
            base_url=self._url, headers=self._headers, timeout=timeout, verify=to_trust(verify)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def predict(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        user: str | None = None,
        partial: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - it goes to the service
    ) -> Answered:
        """Return the answers for some rows."""
        asked = self._rows(rows, model=model, user=user, partial=partial, timeout=timeout)
        return to_answered(await self._ask("POST", "/v1/predict", asked))

    async def stream(
        self, rows: Iterable[Mapping[str, Any]], *, model: str | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield one answer for each row while they come."""

        async def pieces() -> AsyncIterator[bytes]:
            for piece in to_lines(rows):
                yield piece

        query = {"model": model} if model else {}
        with reaching(self._url):
            async with self._http.stream(
                "POST", "/v1/predict", content=pieces(), params=query, headers=_LINES
            ) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise to_error(answer)
                async for line in answer.aiter_lines():
                    yield json.loads(line)

    async def feedback(
        self,
        request_id: str,
        truth: Any = None,
        *,
        row: int = 0,
        value: float | None = None,
        user: str | None = None,
        model: str | None = None,
    ) -> bool:
        """Tell the right answer for a row, what its answer was worth, or both."""
        said = self._feedback(request_id, truth, row=row, value=value, user=user, model=model)
        return bool((await self._ask("POST", "/v1/feedback", said))["kept"])

    async def models(self) -> list[dict[str, Any]]:
        """Return what is served."""
        found: list[dict[str, Any]] = (await self._ask("GET", "/v1/models"))["models"]
        return found

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        import asyncio

        attempt = 0
        while (pause := self._pause(got := await self._send(method, path, body), attempt)) is not None:
            await asyncio.sleep(pause)
            attempt += 1
        return self._read(got)

    async def _send(self, method: str, path: str, body: bytes | None) -> httpx.Response | Exception:
        try:
            got: httpx.Response | Exception = await self._http.request(method, path, content=body, headers=_JSON)
        except import_httpx().TransportError as error:
            got = error
        return got


def _dump(document: Mapping[str, Any]) -> bytes:
    """Return a body of those fields that hold anything."""
    given = {name: value for name, value in document.items() if value is not None}
    return json.dumps(given, ensure_ascii=False).encode()
