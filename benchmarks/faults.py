"""The service under load while things go wrong: what was accepted and lost, and what it cost.

Runs `headway serve` with a small n-gram package made here. `HEADWAY_SOAK_MINUTES` sets the length of the soak (1).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
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

import httpx
import numpy as np
import psutil

import headway
from benchmarks.fuzzing import fuzz
from benchmarks.postgres import start_cluster
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
# Bytes of a disk that runs full.
DISK = 512 * 1024
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
            _full_store(package, bodies, min(KEPT_RATE, 0.5 * capacity), folder),
            _full_deploy(package, other, bodies, 0.5 * capacity, folder),
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
def _running(
    package: Path, *arguments: str, env: Mapping[str, str] | None = None, most: int | None = None
) -> Iterator[Service]:
    """Start a service; `most`: no file that it writes may become larger."""
    command = [sys.executable, "-m", "headway.cli", "serve", str(package), "--port", "0", "--workers", "2", *arguments]
    command += [] if "--log" in arguments else ["--log", os.devnull]
    command = command if most is None else ["prlimit", f"--fsize={most}", *command]
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
        found = re.search(r"headway_log_lines_lost_total ([\d.e+]+)", _metrics(service))
        return _line("disk full (log)", rate, seen, f"{float(found[1]):,.0f} log lines lost and counted")


@contextmanager
def _small_disk(folder: Path) -> Iterator[tuple[Path, int | None]]:
    """Yield a disk of `DISK` bytes; where one may not be mounted, a folder and how large a file may become in it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    is_mounted = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    try:
        yield folder, None if is_mounted else DISK
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _full_store(package: Path, bodies: Path, rate: float, folder: Path) -> tuple[object, ...]:
    """Let the disk of the store run full while every prediction is to be kept; then give it room."""
    with _small_disk(folder / "store") as (disk, most):
        url = f"sqlite:///{disk}/kept.db"
        with _running(package, "--store", url, most=most) as service:
            seen = _finish(_load(service, bodies, rate=rate))
            waiting, lost = (_events(service, word) for word in ("waiting", "lost"))
            held = f"{waiting:,.0f} predictions wait and {lost:,.0f} are lost while it is full"
            if most is None:
                subprocess.run(["mount", "-o", f"remount,size={200 * DISK}", str(disk)], check=True)
                held += f"; once there is room {_kept(url, seen):,} are kept"
        return _line("disk full (store)", rate, seen, held)


def _events(service: Service, word: str) -> float:
    """Return how many events of the store are so."""
    found = re.findall(rf'^headway_learn_{word}\w*{{lane="store".*}} ([\d.e+]+)$', _metrics(service), re.MULTILINE)
    return sum(map(float, found))


def _metrics(service: Service) -> str:
    return httpx.get(f"{service.url}/metrics", timeout=60).text


def _full_deploy(package: Path, other: Path, bodies: Path, rate: float, folder: Path) -> tuple[object, ...]:
    """Deploy a package where its file does not fit on the disk; then give it room and deploy it again."""
    archive = next(other.parent.glob("*.headway")).read_bytes()
    kind = {"content-type": "application/octet-stream"}
    with (
        _small_disk(folder / "deployed") as (disk, most),
        _running(package, env={"TMPDIR": str(disk)}, most=most) as service,
    ):
        load = _load(service, bodies, rate=rate)
        time.sleep(1)
        refused = httpx.post(f"{service.url}/v1/deploy", content=archive, headers=kind, timeout=60)
        told = f"{len(archive) / 1e6:.1f} MB on {DISK / 1e6:.1f}: {refused.status_code}"
        told += f", {sum(1 for _ in disk.rglob('*.headway'))} files left"
        if most is None:
            subprocess.run(["mount", "-o", f"remount,size={200 * DISK}", str(disk)], check=True)
            again = httpx.post(refused.url, content=archive, headers=kind, timeout=60)
            told += f"; once there is room: {again.status_code}"
        return _line("disk full (deploy)", rate, _finish(load), told)


def _gone(package: Path, bodies: Path, rate: float) -> tuple[object, ...]:
    """Take PostgreSQL away for two seconds while every prediction is to be kept in it."""
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
        found = fuzz(service.url, MALFORMED)
        grown = service.memory_mb() / before - 1
        alive = sum(each.is_running() for each in service.workers())
    rate = (MALFORMED + found.sound) / found.seconds
    seen = {"statuses": found.statuses, "errors": len(found.hung), "p99": float("nan")}
    remarks = (
        f"{found.sound:,} sound ones between them answered, {len(found.unlike)} answers unlike the document; "
        f"{alive} of 2 workers alive; memory {grown:+.1%}; only 4xx wanted"
    )
    return _line(f"{MALFORMED:,} malformed requests made from the OpenAPI document", rate, seen, remarks)


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
