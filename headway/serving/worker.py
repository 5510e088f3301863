"""One worker: opens the packages, answers, and obeys the supervisor.

Started as `python -m headway.serving.worker` by `supervisor`, which sends its settings over the control socket.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvicorn.server import ServerState

from headway.errors import HeadwayError, PackageError
from headway.runtime import load
from headway.runtime.session import cores
from headway.serving.access import Access
from headway.serving.deployments import Deployment, Registry, deploy_model, open_deployment
from headway.serving.keys import KeyRing
from headway.serving.listening import Listener, make_connect
from headway.serving.logs import Log, forward
from headway.serving.naming import does, draws, name_of, task_of
from headway.serving.numbering import Numbering
from headway.serving.observing import Observer, Plain, Router, Silent
from headway.serving.pace import example_row
from headway.serving.planning import Plan, choose_plan
from headway.serving.rates import Rates
from headway.serving.refusals import RefusalError
from headway.serving.rehearsal import rehearse
from headway.serving.service import Service
from headway.serving.settings import Package, Post, Settings
from headway.serving.telemetry import Telemetry

if TYPE_CHECKING:
    from headway.runtime import Model
    from headway.serving.drawing.deployment import ImageDeployment
    from headway.serving.writing.deployment import TextDeployment

# A package above this is opened once only: measuring it with other threads would double the memory.
_LARGE = 64 * 2**20
# How long a draining worker still takes connections, to tell their clients so.
_GRACE = 0.3
_TICK = 0.5
# How long vLLM may take to give a GPU back.
_UNLOAD = 10.0
# Requests that are played to see what one costs beside the model.
_ROUNDS = 40


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
        self._loaded: dict[int, Deployment | TextDeployment | ImageDeployment] = {}
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._tokens = itertools.count()
        self._over = asyncio.Event()
        self._settled = asyncio.Event()
        self.threads = post.threads or cores()
        self.telemetry = Telemetry.open(Path(post.telemetry), workers=post.workers, index=post.index)
        for gauge in ("connections", "in_flight", "waiting_rows"):
            self.telemetry.set(gauge, 0)
        self.log = Log(Path(settings.log) if settings.log else None,
                       on_lost=lambda count: self.telemetry.add("log_lines_lost", count))  # fmt: skip

    async def run(self) -> None:
        """Open, announce, answer until told to stop, then finish what was accepted."""
        loop = asyncio.get_running_loop()
        shared = socket.socket(fileno=self.post.listener)
        self.service = self._service(is_local=ip_address(shared.getsockname()[0].partition("%")[0]).is_loopback)
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
            lang=settings.lang, folder=Path(post.folder), deploy=self._ask_deploy,
            numbers=Numbering(Path(post.folder) / "numbers.jsonl"),
            collectors=[collector] if (collector := getattr(observer, "collector", None)) is not None else [],
            panels=getattr(observer, "panels", ()), price=settings.price,
        )  # fmt: skip

    async def _open(self) -> None:
        """Open all packages, and play one request to the first of them through: the first real one is not slow."""
        packages, limits = self.settings.packages, self.settings.limits
        predicting = [package for package in packages if task_of(package.path) != "generate"]
        # What is measured coarsely here is measured again once requests can be answered (`_plan`).
        quick = not self.post.threads and len(predicting) == len(packages)
        for package in packages:
            if package in predicting:
                opened = await asyncio.to_thread(
                    open_deployment, Path(package.path), name=package.name, limits=limits, threads=self.threads,
                    on_batch=self.telemetry.batch, quick=quick,
                )  # fmt: skip
                self.service.put(opened)
            elif draws(package.path):
                await self._open_painter(package)
            else:
                await self._open_writer(package)
        if predicting:
            await self._rehearse(rounds=1)

    async def _rehearse(self, *, rounds: int) -> float:
        """Return the seconds of one request to the first package, behind the scenes."""
        limits = self.settings.limits
        connect = make_connect(Service(self.service.registry, limits=limits), limits, ServerState())
        return await rehearse(connect, example_row(self._first.model), rounds=rounds)

    async def _open_writer(self, package: Package) -> None:
        self.service.put_writer(await asyncio.to_thread(self._open_text, Path(package.path), package.name))

    def _open_text(self, path: Path, name: str | None) -> TextDeployment:
        """Open a package that writes text with the engine that is wanted; say in the log which one it was."""
        from headway.serving.writing.deployment import open_writer

        opened = open_writer(
            path, name=name, limits=self.settings.limits, threads=self.threads, engine=self.settings.engine,
            note=lambda model, why: self.log.write("vllm_not_used", model=model, error=why),
        )  # fmt: skip
        self.log.write("writes", model=opened.name, version=opened.version, engine=opened.engine.name)
        return opened

    async def _open_painter(self, package: Package) -> None:
        from headway.serving.drawing.deployment import open_painter

        path, threads = Path(package.path), self.threads
        self.service.put_painter(await asyncio.to_thread(open_painter, path, name=package.name, threads=threads))

    @property
    def _first(self) -> Deployment:
        """Return the package that answers where none is named."""
        return self.service.registry.get(self.service.registry.find(None))

    async def _settle(self) -> None:
        """Measure how the work is best spread, where that is open; answers are given meanwhile, deploys wait."""
        if not self.post.threads:
            try:
                writes = self.service.writers or self.service.painters
                seconds = 0.0 if writes else await self._rehearse(rounds=_ROUNDS)
                plan = await asyncio.to_thread(self._plan, seconds)
            except Exception as error:  # noqa: BLE001 - what answers goes on answering, if not in the best way
                plan = Plan(max(1, self.settings.workers), self.threads, 0.0)
                self.log.write("not_measured", error=f"{type(error).__name__}: {error}"[:500])
            self._tell({"did": "plan", "plan": plan.__dict__})
        self._settled.set()

    def _plan(self, seconds: float) -> Plan:
        """Choose processes and threads; opens the first package again with one thread to compare.

        Models that write get one process with all threads: texts written together share the reading of the weights.
        """
        settings, available = self.settings, cores()
        if self.service.writers or self.service.painters:
            return Plan(settings.workers or 1, self.threads, 0.0)
        first, path = self._first, settings.packages[0].path
        if settings.threads or available == 1 or _size(path) > _LARGE:
            workers = settings.workers or (max(1, available // settings.threads) if settings.threads else 1)
            plan = Plan(workers, settings.threads or max(1, available // workers), 0.0)
        else:
            most = max(1, available // max(1, settings.workers))
            models = {each: first.model if each == self.threads else load(path, threads=each) for each in {most, 1}}
            beside = max(2e-5, seconds - first.pace.of(1, first.pace.row_items))
            row = example_row(first.model)
            plan, _ = choose_plan(models, [row], http_seconds=beside, cores=available, workers=settings.workers)
        opened: list[tuple[str | None, Model, Path | None]]
        if plan.threads != self.threads:
            self.threads = plan.threads
            opened = [(each.name, load(each.path, threads=plan.threads), Path(each.path)) for each in settings.packages]
        else:
            opened = [(key, each.model, each.path) for key, each in self.service.registry if key == each.name]
        for name, model, place in opened:
            self.service.put(
                deploy_model(model, name=name, limits=settings.limits, on_batch=self.telemetry.batch, path=place)
            )
        return plan

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
        from headway.serving.drawing.deployment import ImageDeployment

        while line := await reader.readline():
            order = json.loads(line)
            if order["do"] == "load":
                self.service.background(self._load(order))
            elif order["do"] == "switch":
                loaded = self._loaded.pop(order["id"])
                self._put(loaded)
                self._tell({"did": "switch", "id": order["id"]})
            elif order["do"] == "forget":
                forgotten = self._loaded.pop(order["id"], None)
                if forgotten is not None and not isinstance(forgotten, Deployment | ImageDeployment):
                    forgotten.author.retire()
            elif order["do"] == "deployed" and order["token"] in self._asked:
                self._asked.pop(order["token"]).set_result(order)
            elif order["do"] == "drain":
                break
        self._over.set()

    def _put(self, loaded: Deployment | TextDeployment | ImageDeployment) -> None:
        """Let a package that was opened beside the others take its place."""
        from headway.serving.drawing.deployment import ImageDeployment

        if isinstance(loaded, Deployment):
            self.service.put(loaded, swapped=True)
        elif isinstance(loaded, ImageDeployment):
            self.service.put_painter(loaded, swapped=True)
        else:
            self.service.put_writer(loaded, swapped=True)

    async def _load(self, order: Mapping[str, Any]) -> None:
        """Open, warm up and check a package beside the running ones."""
        await self._settled.wait()
        try:
            found = await asyncio.to_thread(self._check, order)
        except HeadwayError as error:
            self._tell({"did": "load", "id": order["id"], "error": str(error)})
            return
        except Exception as error:  # noqa: BLE001 - a package is a stranger; the service goes on without it
            self._tell({"did": "load", "id": order["id"], "error": f"{type(error).__name__}: {error}"[:500]})
            return
        self._tell({"did": "load", "id": order["id"], "found": found})

    def _check(self, order: Mapping[str, Any]) -> dict[str, Any]:
        from headway.serving.release import check_release

        self._check_name(order["name"] or name_of(order["path"]), does(order["path"]))
        if draws(order["path"]):
            return self._check_painter(order)
        if task_of(order["path"]) == "generate":
            return self._check_writer(order)
        opened = open_deployment(
            Path(order["path"]), name=order["name"], limits=self.settings.limits, threads=self.threads,
            on_batch=self.telemetry.batch,
        )  # fmt: skip
        current = self.service.registry.under(opened.name)
        replaced = None if current is None or order["force"] else current.model.manifest
        found = check_release(opened.model, replaced)
        self._loaded[order["id"]] = opened
        seconds = opened.pace.of(1, opened.pace.row_items)
        return {**found, "name": opened.name, "version": opened.version, "row_ms": round(seconds * 1000, 3),
                "replaces": None if current is None else current.version}  # fmt: skip

    def _check_name(self, name: str, kind: str) -> None:
        """Raise `PackageError` where a package would take the name of one that does something else."""
        served = {"predicts": self.service.registry.keys(), "writes text": self.service.writers,
                  "draws pictures": self.service.painters}  # fmt: skip
        for other, names in served.items():
            if name in names and other != kind:
                raise PackageError(f"a package of this name {other}, and the new one {kind}", got=name,
                                   fix="give the new one another name (--name)")  # fmt: skip

    def _check_writer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        opened = self._open_text(Path(order["path"]), order["name"])
        current = self.service.writers.get(opened.name)
        self._loaded[order["id"]] = opened
        return {"name": opened.name, "version": opened.version,
                "replaces": None if current is None else current.version}  # fmt: skip

    def _check_painter(self, order: Mapping[str, Any]) -> dict[str, Any]:
        from headway.serving.drawing.deployment import open_painter

        opened = open_painter(Path(order["path"]), name=order["name"], threads=self.threads)
        current = self.service.painters.get(opened.name)
        self._loaded[order["id"]] = opened
        return {"name": opened.name, "version": opened.version,
                "replaces": None if current is None else current.version}  # fmt: skip

    async def _ask_deploy(self, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the supervisor to deploy a package in all workers; return what was found."""
        token = next(self._tokens)
        self._asked[token] = asyncio.get_running_loop().create_future()
        self._tell({"ask": "deploy", "token": token, **wish})
        answer = await self._asked[token]
        if "error" in answer:
            raise RefusalError(
                409, "not_released", str(answer["error"]), next="put it right, or deploy it with --force"
            )
        found: Mapping[str, Any] = answer["found"]
        return found

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


def _size(path: str) -> int:
    place = Path(path)
    return sum(file.stat().st_size for file in ([place] if place.is_file() else place.iterdir()) if file.is_file())


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
