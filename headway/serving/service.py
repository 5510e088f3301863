"""The ASGI application: who may ask, what is asked, and what is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.serving.access import Access
from headway.serving.deployments import Deployment, Registry, answered_by
from headway.serving.endpoints import find_endpoint
from headway.serving.http import ClientGoneError, Receive, Request, Scope, Send
from headway.serving.limits import Limits
from headway.serving.logs import Log
from headway.serving.numbering import Numbering
from headway.serving.observing import Failed, Observer, Opened, Plain, Routed, Router, Served, Silent
from headway.serving.refusals import RefusalError, draining, failed, no_painter, no_writer
from headway.serving.settings import Price
from headway.serving.telemetry import Telemetry

if TYPE_CHECKING:
    from headway.serving.drawing.deployment import ImageDeployment
    from headway.serving.writing.deployment import TextDeployment


@dataclass(eq=False)
class Service:
    """One worker's application and all that its endpoints share.

    `numbers` gives each deployment (name, version) its place in the telemetry. `collectors` are further collectors of
    prometheus-client that `/metrics` shows, `panels` return further parts of the page in a language. `price` is what
    the page reckons costs with. `deploy` swaps in a package that lies in `folder` and returns what was found; None
    where this process cannot.
    """

    registry: Registry
    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Access)
    observer: Observer = field(default_factory=Silent)
    router: Router = field(default_factory=Plain)
    telemetry: Telemetry = field(default_factory=Telemetry.alone)
    log: Log | None = None
    log_bodies: bool = False
    lang: str = "en"
    collectors: Sequence[object] = ()
    panels: Sequence[Callable[[str], object]] = ()
    price: Price | None = None
    folder: Path | None = None
    deploy: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]] | None = None
    is_ready: bool = True
    is_draining: bool = False
    in_flight: int = 0
    numbers: Numbering = field(default_factory=Numbering)
    # Packages that write text, by name.
    writers: dict[str, TextDeployment] = field(default_factory=dict)
    # Packages that draw pictures, by name.
    painters: dict[str, ImageDeployment] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await _lifespan(scope, receive, send)
            return
        request = Request(scope, receive, send)
        self.in_flight += 1
        kind = ""
        try:
            endpoint = find_endpoint(request)
            self.access.admit(request)
            await endpoint(self, request)
        except RefusalError as refusal:
            kind = refusal.kind
            await self._refuse(request, refusal)
        except ClientGoneError:
            kind = self._abandon(request)
        except asyncio.CancelledError:  # nobody waits for the answer, or the time for stopping ran out
            kind = self._abandon(request) if request.is_gone() else "cut_off"
            if kind == "cut_off" and not request.started:
                await request.refuse(draining())
        except Exception as error:  # noqa: BLE001 - the last door: the client gets a word, the log the rest
            kind = "failed"
            await self._fail(request, error)
        finally:
            self.in_flight -= 1
            self._note(request, kind)

    def _abandon(self, request: Request) -> str:
        """Count a request whose client has hung up; return what its kind is called."""
        self.telemetry.add("abandoned")
        request.status = request.status or 499
        return "client_gone"

    async def _refuse(self, request: Request, refusal: RefusalError) -> None:
        if request.started:  # too late for a status; a broken connection tells the client
            raise refusal
        if refusal.status == 422:
            self.telemetry.add("wrong_rows", len(refusal.fields))
        await request.refuse(refusal)

    async def _fail(self, request: Request, error: Exception) -> None:
        """Tell the client that the fault is here; what it was stands in the log."""
        if self.log is not None:
            self.log.write("error", request_id=request.id, error=f"{type(error).__name__}: {error}"[:2000])
        await self._refuse(request, failed(error))

    def _note(self, request: Request, kind: str) -> None:
        """Count and log a request that is over, unless its endpoint has done so."""
        seconds = time.monotonic() - request.began
        if kind and request.path in _WORK and request.method == "POST":
            self.missed(request, request.status, kind, seconds)
        if self.log is not None and (kind or request.path not in _QUIET):
            self.log.write("request", request_id=request.id, key=request.key, method=request.method,
                           path=request.path[:200], status=request.status, kind=kind or None,
                           ms=round(seconds * 1000, 3))  # fmt: skip

    def missed(self, request: Request, status: int, kind: str, seconds: float) -> None:
        """Count and hand on a request, or a piece of a stream, that was refused or failed."""
        self.telemetry.answered(status, seconds, 0, None)
        to = request.routed or Routed("", "")
        failed = Failed(request.id, to.name or None, to.version or None, status, kind, seconds, to.user, to.arm)
        self.observe(lambda: self.observer.failed(failed))

    def put(self, deployment: Deployment, *, swapped: bool = False) -> None:
        """Serve a deployment from now on; requests in the queue of the one it replaces are still answered by that."""
        self.registry.put(deployment)
        self.number_of(deployment)
        path = None if deployment.path is None else str(deployment.path)
        manifest = deployment.model.manifest
        until = None if manifest.history is None else manifest.history.until
        opened = Opened(deployment.name, deployment.version, deployment.model.task, path, deployment.reader.columns,
                        answered_by(manifest), until)  # fmt: skip
        self.observe(lambda: self.observer.opened(opened))
        if swapped:
            self.telemetry.add("deployments")
            if self.log is not None:
                self.log.write("deployed", model=deployment.name, version=deployment.version)

    def put_writer(self, deployment: TextDeployment, *, swapped: bool = False) -> None:
        """Serve a package that writes text from now on; the one it replaces finishes what it is writing."""
        replaced = self.writers.get(deployment.name)
        self.writers[deployment.name] = deployment
        self.number_of(deployment)
        if replaced is not None:
            replaced.author.retire()
        if swapped:
            self.telemetry.add("deployments")
            if self.log is not None:
                self.log.write("deployed", model=deployment.name, version=deployment.version)

    def put_painter(self, deployment: ImageDeployment, *, swapped: bool = False) -> None:
        """Serve a package that draws pictures from now on; the one it replaces finishes what it is drawing."""
        self.painters[deployment.name] = deployment
        self.number_of(deployment)
        if swapped:
            self.telemetry.add("deployments")
            if self.log is not None:
                self.log.write("deployed", model=deployment.name, version=deployment.version)

    def painter(self, name: str | None) -> ImageDeployment:
        """Return what draws under a name, the first for None; raises `RefusalError` (404)."""
        found = self.painters.get(name) if name is not None else next(iter(self.painters.values()), None)
        if found is None:
            raise no_painter(name or "", list(self.painters))
        return found

    def drew(self, deployment: ImageDeployment, seconds: float, pictures: int) -> None:
        """Count a request that was answered with pictures; they count as rows."""
        self.telemetry.answered(200, seconds, pictures, self.number_of(deployment))

    def writer(self, name: str | None) -> TextDeployment:
        """Return what writes under a name, the first for None; raises `RefusalError` (404)."""
        found = self.writers.get(name) if name is not None else next(iter(self.writers.values()), None)
        if found is None:
            raise no_writer(name or "", list(self.writers))
        return found

    def wrote(self, deployment: TextDeployment, seconds: float, tokens: int) -> None:
        """Count a request that was answered with text; its tokens count as rows."""
        self.telemetry.answered(200, seconds, tokens, self.number_of(deployment))

    def gauge(self) -> None:
        """Put the figures that change by themselves where the other workers see them."""
        self.telemetry.set("in_flight", self.in_flight)
        rows = sum(deployment.batcher.waiting_rows for _, deployment in self.registry)
        self.telemetry.set("waiting_rows", rows + sum(each.author.waiting for each in self.writers.values())
                           + sum(each.waiting for each in self.painters.values()))  # fmt: skip

    def check_open(self) -> None:
        """Raise `RefusalError` (503) where no new work is taken."""
        if self.is_draining:
            raise draining()

    def observe(self, tell: Callable[[], object]) -> object:
        """Tell the observer something; what goes wrong there is counted and logged, and harms nobody."""
        try:
            return tell()
        except Exception as error:  # noqa: BLE001 - an observer is a stranger
            self.telemetry.add("observer_errors")
            if self.log is not None:
                self.log.write("observer_error", error=f"{type(error).__name__}: {error}"[:500])
            return None

    def number_of(self, deployment: Deployment | TextDeployment | ImageDeployment) -> int:
        """Return the place of a deployment in the telemetry."""
        return self.numbers.of(deployment.name, deployment.version)

    def done(self, served: Served, deployment: Deployment) -> None:
        """Count, log and hand on a request that was answered."""
        self.telemetry.answered(200, served.seconds, len(served.rows), self.number_of(deployment))
        if self.log_bodies and self.log is not None:
            self.log.write("bodies", request_id=served.request_id, rows=served.rows, answers=served.answers)
        if type(self.observer) is not Silent:  # saves a call for each request where nobody listens
            self.observe(lambda: self.observer.served(served))

    def background(self, work: Awaitable[None]) -> None:
        """Run something beside the requests and keep hold of it."""
        task = asyncio.ensure_future(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


# Requests that a model works on.
_WORK = frozenset({"/v1/predict", "/v1/completions", "/v1/chat/completions", "/v1/images/generations"})
# Asked so often, by machines, that a log of it would say nothing.
_QUIET = frozenset({"/health", "/ready", "/metrics", "/v1/traffic", "/live", "/page.css", "/page.js"})


async def _quietly(work: Awaitable[None]) -> None:
    with suppress(RefusalError, asyncio.CancelledError):
        await work


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the start and the end of a server; refuse other protocols."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1003})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
