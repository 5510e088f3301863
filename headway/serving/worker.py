"""One worker: opens the packages, answers, and obeys the supervisor.

Started as `python -m headway.serving.worker` by `supervisor`, which sends its settings over the control socket.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError, RunError
from headway.runtime.session import cores
from headway.serving.access import Access
from headway.serving.deployments import Registry
from headway.serving.exchanging import Exchange
from headway.serving.keys import KeyRing
from headway.serving.listening import Listener
from headway.serving.logs import Log, forward
from headway.serving.naming import does
from headway.serving.numbering import Numbering
from headway.serving.observing import Observer, Plain, Router, Silent
from headway.serving.opening import Opener, put
from headway.serving.rates import Rates
from headway.serving.service import Service
from headway.serving.settings import Post, Settings
from headway.serving.settling import play_through, settle
from headway.serving.telemetry import Telemetry

# How long a draining worker still takes connections, to tell their clients so.
_GRACE = 0.3
_TICK = 0.5
# How long vLLM may take to give a GPU back.
_UNLOAD = 10.0


def main() -> None:
    """Run one worker, as the arguments (control and post, as JSON) say."""
    post = Post(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sends it: the supervisor decides when to end
    control = socket.socket(fileno=post.control)
    settings = Settings.from_json(_first_line(control))
    worker = Worker(settings, post, control)
    try:
        run = asyncio.run
        with suppress(ImportError):
            import uvloop

            run = uvloop.run
        with forward(worker.log):
            run(worker.run())
    except HeadwayError as error:
        _say(control, {"did": "fail", "words": str(error)})
        sys.exit(3)
    finally:
        worker.log.close()


class Worker:
    """The state of one worker."""

    def __init__(self, settings: Settings, post: Post, control: socket.socket) -> None:
        """Take the settings, the place among the workers, and the line to the supervisor."""
        self.settings, self.post, self._control = settings, post, control
        self._over = asyncio.Event()
        self._settled = asyncio.Event()
        self.telemetry = Telemetry.open(Path(post.telemetry), workers=post.workers, index=post.index)
        for gauge in ("connections", "in_flight", "waiting_rows"):
            self.telemetry.set(gauge, 0)
        self.log = Log(Path(settings.log) if settings.log else None,
                       on_lost=lambda count: self.telemetry.add("log_lines_lost", count))  # fmt: skip
        self._opener = Opener(settings, self.telemetry, self.log, threads=post.threads or cores())

    async def run(self) -> None:
        """Open, announce, answer until told to stop, then finish what was accepted."""
        loop = asyncio.get_running_loop()
        shared = socket.socket(fileno=self.post.listener)
        self.service = self._service(is_local=ip_address(shared.getsockname()[0].partition("%")[0]).is_loopback)
        self._exchange = Exchange(self.service, self._opener, self._tell, settled=self._settled)
        self.service.deploy = self._exchange.ask
        listener = Listener(
            self.service, shared, limits=self.settings.limits, tls=self._tls(),
            on_count=lambda count: self.telemetry.set("connections", count), fewest=self._fewest,
        )  # fmt: skip
        await self._open()
        loop.add_signal_handler(signal.SIGTERM, self._over.set)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._control)
        listening = asyncio.ensure_future(self._obey(reader))
        ticking = asyncio.ensure_future(self._tick())
        self.telemetry.set("pid", os.getpid())
        listener.start()
        self._tell({"did": "start"})
        planning = asyncio.ensure_future(self._settle())
        await self._over.wait()
        await self._drain(listener)
        for task in (ticking, listening, planning):
            task.cancel()

    def _service(self, *, is_local: bool) -> Service:
        """Return the application of this worker; `is_local` where its socket is one of this machine alone."""
        settings, post = self.settings, self.post
        rates = Rates.open(Path(post.rates), workers=post.workers, index=post.index)
        keys = KeyRing(Path(settings.keys)) if settings.keys else None
        hosts = None if settings.hosts is None else frozenset(settings.hosts)
        observer, router = _observe(settings)
        return Service(
            Registry(), limits=settings.limits, access=Access(keys, rates, hosts, settings.origins, is_local),
            observer=observer, router=router, telemetry=self.telemetry, log=self.log, log_bodies=settings.log_bodies,
            lang=settings.lang, folder=Path(post.folder),
            numbers=Numbering(Path(post.folder) / "numbers.jsonl"),
            collectors=[collector] if (collector := getattr(observer, "collector", None)) is not None else [],
            panels=getattr(observer, "panels", ()), price=settings.price,
        )  # fmt: skip

    async def _open(self) -> None:
        """Open all packages, and play one request to the first of them through: the first real one is not slow."""
        packages = self.settings.packages
        predict = [does(package.path) == "predicts" for package in packages]
        # What is measured coarsely here is measured again once requests can be answered (`settle`).
        quick = not self.post.threads and all(predict)
        for package in packages:
            opened = await asyncio.to_thread(self._opener.open, package, quick=quick)
            try:
                put(self.service, opened)
            except OSError as error:
                raise RunError("the disk has no room for what the processes share", got=str(error),
                               fix="make room there, or set TMPDIR to a larger disk") from error  # fmt: skip
        if any(predict):
            await play_through(self.service, rounds=1)

    async def _settle(self) -> None:
        """Measure how the work is best spread, where that is open; answers are given meanwhile, deploys wait."""
        if not self.post.threads:
            plan = await settle(self.service, self._opener)
            self._tell({"did": "plan", "plan": plan.__dict__})
        self._settled.set()

    def _fewest(self) -> int:
        """Return the connections of the idlest worker."""
        return min(self.telemetry.of_each_worker("connections"), default=0)

    def _tls(self) -> Any:
        """Return the TLS context, None without a certificate."""
        if self.settings.certificate is None:
            return None
        import ssl

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.settings.certificate, self.settings.private_key)
        return context

    async def _obey(self, reader: asyncio.StreamReader) -> None:
        """Do what the supervisor says; without a supervisor there is no worker."""
        try:
            while line := await reader.readline():
                order = json.loads(line)
                if order["do"] == "drain":
                    break
                self._exchange.obey(order)
        except ConnectionError:  # it died before it had read what this worker said
            pass
        finally:
            self._over.set()

    async def _tick(self) -> None:
        """Show the gauges to the other workers."""
        while True:
            await asyncio.sleep(_TICK)
            self.service.gauge()

    async def _drain(self, listener: Listener) -> None:
        """Refuse what is new, finish what was accepted, and close."""
        self.service.is_draining = True
        await asyncio.sleep(_GRACE)
        unanswered = await listener.stop(self.settings.limits.drain_seconds)
        for writer in self.service.writers.values():
            await asyncio.to_thread(writer.author.end, _GRACE if writer.engine.name == "onnx" else _UNLOAD)
        self.service.observer.close()
        self.log.write("stopped", pid=os.getpid(), unanswered=unanswered)
        self._tell({"did": "drain", "unanswered": unanswered})

    def _tell(self, words: Mapping[str, Any]) -> None:
        """Send a line to the supervisor."""
        with suppress(OSError, RuntimeError):
            self._writer.write(json.dumps(words, default=str).encode() + b"\n")


def _observe(settings: Settings) -> tuple[Observer, Router]:
    """Return the observer and router that the settings name."""
    if settings.observer is None:
        return Silent(), Plain()
    module, _, name = settings.observer.partition(":")
    made = getattr(importlib.import_module(module), name)(settings)
    if isinstance(made, tuple):
        return made
    return made, Plain()


def _first_line(control: socket.socket) -> str:
    """Return the first line that the supervisor sends, and no byte more."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = control.recv(1)
        if not byte:
            sys.exit(3)
        line += byte
    return line.decode("utf-8")


def _say(control: socket.socket, words: Mapping[str, Any]) -> None:
    with suppress(OSError):
        control.settimeout(1.0)
        control.sendall(json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    main()
