"""The service under load while things go wrong: what was accepted and lost, and what it cost.

Runs `headway serve` with a small n-gram package made here. `HEADWAY_SOAK_MINUTES` sets the length of the soak (1).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import headway
from benchmarks.runtime import LABELS, ngram_graph, texts
from benchmarks.shared import HERE, print_table
from headway.errors import HeadwayError
from headway.package.opening import open_model
from headway.package.writing import write_package
from headway.runtime.manifest import InputColumn, Manifest

CLIENTS, SECONDS = 16, 6.0
# Requests a second where each prediction is kept.
KEPT_RATE = 300.0
MALFORMED = 10_000
SOAK = 60 * float(os.environ.get("HEADWAY_SOAK_MINUTES", "1"))


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        return psutil.Process(self.process.pid).children()

    def memory_mb(self) -> float:
        """Return the memory of all its processes, shared pages once."""
        family = [psutil.Process(self.process.pid), *self.workers()]
        return sum(each.memory_full_info().pss for each in family) / 1e6


def main() -> str:
    """Run every fault, and print one table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        package, other = (_package(folder / name, name) for name in ("first", "second"))
        bodies = folder / "bodies.jsonl"
        bodies.write_text("\n".join(json.dumps({"rows": [{"text": text}]}) for text in texts(500)))
        with _running(package) as service:
            capacity = _finish(_load(service, bodies, seconds=3))["rate"]
        lines = [
            _swap(package, other, bodies, 0.5 * capacity),
            _kill(package, bodies, 0.5 * capacity),
            _kill_asked_again(package, bodies),
            _stop(package, bodies, 0.5 * capacity),
            _slow(package, bodies, 0.5 * capacity),
            _full(package, bodies, 0.5 * capacity),
            _gone(package, bodies, min(KEPT_RATE, 0.5 * capacity)),
            _jump(package, bodies, min(KEPT_RATE, 0.5 * capacity), folder, jumps=()),
            _jump(package, bodies, min(KEPT_RATE, 0.5 * capacity), folder, jumps=("+1d", "-1d")),
            _fuzz(package),
            _soak(package, bodies, 0.8 * capacity),
        ]
    title = f"Faults under {CLIENTS} clients (capacity here {capacity:,.0f} requests/s)"
    return print_table(title, ("fault", "load", "answers", "broken connections", "p99", "remarks"), lines)


def _package(folder: Path, name: str) -> Path:
    graph = ngram_graph()
    column = InputColumn("text", "text", "what is the exchange rate?")
    manifest = Manifest("faults", "classify", "y", (column,), (), tuple(range(LABELS)), created=name)
    expected = open_model(graph).predictor.run({"text": ["hello"]})
    return write_package(folder / "p", graph, manifest, card="", columns={"text": ["hello"]}, expected=expected)


@contextmanager
def _running(package: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Service]:
    command = [sys.executable, "-m", "headway.cli", "serve", str(package), "--port", "0", "--workers", "2", *arguments]
    command += [] if "--log" in arguments else ["--log", os.devnull]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=HERE.parent, env={**os.environ, **(env or {})}
    )
    said = ""
    while "serving at" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    service = Service(process, int(re.search(r":(\d+) ", said)[1]))
    while len(service.workers()) < 2:
        time.sleep(0.05)
    time.sleep(1.5)
    try:
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _load(service: Service, bodies: Path, *, seconds: float = SECONDS, rate: float | None = None) -> subprocess.Popen:
    arguments = [f"127.0.0.1:{service.port}", "/v1/predict", str(bodies), str(CLIENTS), str(seconds)]
    arguments += [] if rate is None else [str(rate)]
    command = [sys.executable, "-m", "benchmarks.load", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)


def _finish(load: subprocess.Popen) -> dict[str, Any]:
    return json.loads(load.communicate(timeout=SOAK + 120)[0])


def _line(name: str, rate: float, seen: dict[str, Any], remarks: str) -> tuple[object, ...]:
    answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(seen["statuses"].items()))
    return name, f"{rate:,.0f}/s", answers, seen["errors"], f"{seen['p99']:.1f} ms", remarks


def _swap(package: Path, other: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    with _running(package) as service, headway.Client(service.url) as client:
        load = _load(service, bodies, rate=rate)
        time.sleep(0.7)
        for each in (other, package, other):
            client.deploy(each)
            time.sleep(0.5)
        return _line("package exchanged 3 times", rate, _finish(load), "no failed request wanted")


def _kill(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    with _running(package) as service:
        load = _load(service, bodies, rate=rate)
        for _ in range(2):
            time.sleep(1.5)
            service.workers()[0].kill()
        return _line("worker killed twice", rate, _finish(load), "only what a worker was answering may break")


def _kill_asked_again(package: Path, bodies: Path) -> tuple[object, ...]:
    """Kill workers while Headway's own clients ask, which ask again where a connection breaks."""
    rows = [json.loads(line)["rows"] for line in bodies.read_text().splitlines()]
    told: Counter[str] = Counter()
    seconds: list[float] = []

    def ask(until: float) -> None:
        with headway.Client(service.url) as client:
            for each in itertools.cycle(rows):
                began = time.monotonic()
                if began > until:
                    return
                try:
                    client.predict(each)
                    told["200"] += 1
                except HeadwayError:
                    told["failed"] += 1
                seconds.append(time.monotonic() - began)

    with _running(package) as service:
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=ask, args=(until,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            time.sleep(1.5)
            service.workers()[0].kill()
        for thread in threads:
            thread.join()
    seen = {"statuses": dict(told), "errors": 0, "p99": 1000 * float(np.quantile(seconds, 0.99))}
    return _line("the same, asked by headway.Client", len(seconds) / SECONDS, seen, "no failed call wanted")


def _stop(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    with _running(package) as service:
        load = _load(service, bodies, seconds=6, rate=rate)
        time.sleep(4)
        service.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        service.process.wait(timeout=60)
        seen = _finish(load)
        remarks = f"stopped in {time.monotonic() - began:.1f} s; after that the load finds no service"
        return _line("SIGTERM", rate, {**seen, "errors": "(refused at the door)"}, remarks)


def _slow(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    import socket

    with _running(package) as service:
        clients = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(200)]
        for client in clients:
            client.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-le")
        seen = _finish(_load(service, bodies, rate=rate))
        for client in clients:
            client.close()
        return _line("200 clients that never end their headers", rate, seen, "they hold up nobody")


def _full(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    with _running(package, "--log", "/dev/full") as service:
        seen = _finish(_load(service, bodies, rate=rate))
        import httpx

        found = re.search(r"headway_log_lines_lost_total ([\d.e+]+)", httpx.get(f"{service.url}/metrics").text)
        return _line("disk full (log)", rate, seen, f"{float(found[1]):,.0f} log lines lost and counted")


def _gone(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    """Take PostgreSQL away for two seconds while every prediction is to be kept in it."""
    from tests.serving.production import start_cluster

    name, cluster = "database gone for 2 s", start_cluster()
    if cluster is None:
        return name, "", "PostgreSQL is not installed here", "", "", ""
    with _running(package, "--store", cluster.url) as service:
        load = _load(service, bodies, rate=rate)
        time.sleep(1.5)
        cluster.stop()
        time.sleep(2)
        cluster.start()
        seen = _finish(load)
        kept = _kept(cluster.url, seen)
    return _line(name, rate, seen, f"{kept:,} predictions kept")


def _jump(package: Path, bodies: Path, rate: float, folder: Path, *, jumps: Sequence[str]) -> tuple[object, ...]:
    """Set the clock of the service to other offsets while every prediction is to be kept.

    Without any it shows what the library that does this costs.
    """
    name = f"clock jumps to {' and '.join(jumps)}" if jumps else "the same clock, behind libfaketime"
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        return name, "", "libfaketime is not installed here", "", "", ""
    clock, store = folder / "clock", f"sqlite:///{folder}/kept-{len(jumps)}.db"
    clock.write_text("+0")
    faked = {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with _running(package, "--store", store, env={"LD_PRELOAD": str(library), **faked}) as service:
        load = _load(service, bodies, rate=rate)
        for ahead in jumps:
            time.sleep(2)
            clock.write_text(ahead)
        seen = _finish(load)
        kept = _kept(store, seen)
    return _line(name, rate, seen, f"{kept:,} predictions kept")


def _kept(url: str, seen: dict[str, Any]) -> int:
    """Return how many predictions a store holds, once it has all that were answered or half a minute has gone."""
    from headway.serving.store.opening import connect

    store, deadline = connect(url), time.monotonic() + 30
    while True:
        with store.engine.connect() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM headway_predictions").scalar_one()
        if count >= sum(seen["statuses"].values()) or time.monotonic() > deadline:
            store.close()
            return int(count)
        time.sleep(0.5)


def _fuzz(package: Path) -> tuple[object, ...]:
    with _running(package) as service:
        before = service.memory_mb()
        statuses, broken, seconds = asyncio.run(_send_malformed(service.port))
        grown = service.memory_mb() / before - 1
        alive = sum(each.is_running() for each in service.workers())
    seen = {"statuses": statuses, "errors": broken, "p99": float("nan")}
    remarks = f"{MALFORMED / seconds:,.0f}/s; {alive} of 2 workers alive; memory {grown:+.1%}; no 5xx wanted"
    return _line(f"{MALFORMED:,} malformed requests", MALFORMED / seconds, seen, remarks)


async def _send_malformed(port: int) -> tuple[Counter[str], int, float]:
    """Send requests that are wrong in their JSON, schema, headers or bytes; return statuses, hang-ups and seconds."""
    generator, statuses, broken = random.Random(0), Counter[str](), 0
    requests = [malformed(generator) for _ in range(MALFORMED)]

    async def client(part: list[bytes]) -> int:
        hung = 0
        reader = writer = None
        for content in part:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(content)
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                length = re.search(rb"content-length: *(\d+)", answer.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                statuses[answer[9:12].decode()] += 1
                if b"connection: close" in answer.lower() or length is None:
                    writer.close()
                    writer = None
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                hung += 1
                writer.close()
                writer = None
        return hung

    began = time.monotonic()
    broken = sum(await asyncio.gather(*(client(requests[i::8]) for i in range(8))))
    return statuses, broken, time.monotonic() - began


def malformed(generator: random.Random) -> bytes:
    """Return one request that breaks the OpenAPI document in some way."""
    body = generator.choice((_broken_json, _wrong_shape, _wrong_cell, _noise))(generator)
    kind = generator.choice(
        ("application/json",) * 6 + ("text/plain", "application/x-ndjson", "multipart/form-data", "")
    )
    path = generator.choice(
        ("/v1/predict",) * 6 + ("/v1/feedback", "/v1/deploy", "/v1/nothing", "/v1/predict?model=%00")
    )
    method = generator.choice(("POST",) * 8 + ("GET", "DELETE", "PUT"))
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _value(generator: random.Random, depth: int = 0) -> Any:
    simple = (None, True, 0, -1, 1e308, 10**30, "", "\u0000", "x" * generator.choice((1, 5000)), "NaN", "\ud800")
    if depth > 2 or generator.random() < 0.5:
        return generator.choice(simple)
    if generator.random() < 0.5:
        return [_value(generator, depth + 1) for _ in range(generator.randrange(4))]
    return {_name(generator): _value(generator, depth + 1) for _ in range(generator.randrange(4))}


def _name(generator: random.Random) -> str:
    return generator.choice(
        ("rows", "text", "model", "user", "partial", "timeout", "".join(generator.choices(string.printable, k=4)))
    )


def _wrong_shape(generator: random.Random) -> bytes:
    return json.dumps(_value(generator)).encode()


def _wrong_cell(generator: random.Random) -> bytes:
    return json.dumps(
        {"rows": [{_name(generator): _value(generator)} for _ in range(generator.randrange(1, 4))]}
    ).encode()


def _broken_json(generator: random.Random) -> bytes:
    text = bytearray(json.dumps({"rows": [{"text": "hello"}], "timeout": 1}).encode())
    for _ in range(generator.randrange(1, 4)):
        text[generator.randrange(len(text))] = generator.randrange(256)
    return bytes(text[: generator.randrange(1, len(text) + 1)])


def _noise(generator: random.Random) -> bytes:
    return generator.randbytes(generator.choice((0, 1, 100, 70_000))) if generator.random() < 0.9 else b"[" * 100_000


def _soak(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    with _running(package) as service:
        _finish(_load(service, bodies, seconds=5, rate=rate))
        before = service.memory_mb()
        parts = [_finish(_load(service, bodies, seconds=SOAK / 4, rate=rate)) for _ in range(4)]
        grown = service.memory_mb() / before - 1
    statuses = sum((Counter(part["statuses"]) for part in parts), Counter())
    seen = {"statuses": statuses, "errors": sum(part["errors"] for part in parts), "p99": parts[-1]["p99"]}
    quarters = ", ".join(f"{part['p99']:.1f}" for part in parts)
    return _line(f"soak, {SOAK / 60:g} minutes", rate, seen, f"memory {grown:+.1%}; p99 of the quarters {quarters} ms")


if __name__ == "__main__":
    main()
