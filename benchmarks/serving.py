"""Serving beside its peers, in one run: requests a second, latency, start and memory.

The same MiniLM encoder answers on every side: the peers through PyTorch, Headway through its package (fp32 and, as
`headway compress` makes it, int8). The encoder is `HEADWAY_MINILM` (a folder); without it only Headway's own n-gram
model is measured. The head on top is the mean of each class in Headway's package and untrained at the peers: it takes
no part in the time. Names of parts to run may follow on the command line.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.peers import AUTOGLUON
from benchmarks.shared import HERE, PEERS, SkippedError, find_data, peer_python, print_table, run_headway

MINILM = Path(os.environ.get("HEADWAY_MINILM", HERE.parent.parent / "models" / "minilm"))
CLIENTS, SECONDS = 32, 4.0
# A peer that trains before it serves may take this long (seconds).
START = 600.0
ROUNDS = int(os.environ.get("HEADWAY_BENCH_ROUNDS", "3"))
PEER_PACKAGES = ("torch==2.13.0", "transformers==5.23.0", "fastapi", "uvicorn[standard]", "litserve")
PROJECT = """
name: banking77
data: {data}/train.csv
test: {data}/test.csv
target: category
budget: {{time: 60s}}
models: [ngram_linear]
"""


@dataclass(frozen=True)
class Server:
    """One side: how it is started (`{port}` is filled in), where it answers and what a body looks like."""

    name: str
    command: Sequence[str]
    path: str
    wrap: str


@dataclass
class Seen:
    """What was measured of one server, a figure for each round."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    lone: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    errors: int = 0


def main() -> str:
    """Measure all sides alternately, and print one table."""
    data = find_data("en_banking77")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = [line["text"] for line in _rows(data / "test.csv")][:1000]
        servers = [*_headway(folder, data), *_peers(folder, data)]
        seen = {server.name: Seen() for server in servers}
        for _ in range(ROUNDS):
            for server in list(servers):
                try:
                    _measure(server, seen[server.name], texts, folder)
                except SkippedError as error:
                    print(error, file=sys.stderr)
                    servers.remove(server)
                    del seen[server.name]
    return _tell(seen)


def _rows(path: Path) -> list[dict[str, str]]:
    import polars as pl

    return pl.read_csv(path).to_dicts()


def _headway(folder: Path, data: Path) -> list[Server]:
    """Return Headway with its n-gram model and, where the encoder is here, with MiniLM in fp32 and int8."""
    work = folder / "ngram"
    work.mkdir()
    packages = {"Headway, n-grams": run_headway(PROJECT.format(data=data), work).folder / "package"}
    if MINILM.is_dir():
        packages |= _minilm(folder, data)
    python = [sys.executable, "-m", "headway.cli", "serve"]
    return [
        Server(name, [*python, str(package), "--port", "{port}", "--log", os.devnull], "/v1/predict", "rows")
        for name, package in packages.items()
    ]


def _minilm(folder: Path, data: Path) -> dict[str, Path]:
    """Write the packages of the encoder with the mean of each class as its head."""
    import numpy as np
    import spox
    import spox.opset.ai.onnx.v21 as op

    from headway.bases.opening import open_base
    from headway.compression.quantising.schemes import DYNAMIC, inputs_of, shrunk
    from headway.encoders.checkpoints import read_stack
    from headway.encoders.nodes import pooled_nodes
    from headway.encoders.reading import token_feed, tokenizer_files
    from headway.package.constants import Constants
    from headway.package.graph import Graph
    from headway.package.opening import open_graph
    from headway.package.writing import write_package
    from headway.runtime.feeds import encode
    from headway.runtime.manifest import InputColumn, Manifest

    base = open_base(str(MINILM))
    stack, feed, files = read_stack(base), token_feed(base, "text"), tokenizer_files(base)
    assert stack is not None
    rows = _rows(data / "train.csv")[::5]
    labels = sorted({row["category"] for row in rows})

    def graph(means: np.ndarray | None) -> bytes:
        constants = Constants()
        ids, mask = (spox.argument(spox.Tensor(np.int64, ("rows", "length"))) for _ in range(2))
        pooled = pooled_nodes(stack, ids, mask, constants, pooling="mean", normalise=True)
        out = (
            pooled
            if means is None
            else op.softmax(op.mul(op.matmul(pooled, op.const(means)), op.const(np.float32(20))))
        )
        inputs = {f"{feed.name}.ids": ids, f"{feed.name}.mask": mask}
        return constants.build(inputs, {"values" if means is None else "probabilities": out})

    import onnxruntime

    session = onnxruntime.InferenceSession(graph(None))
    parts = []
    for start in range(0, len(rows), 64):
        arrays = encode(feed, {"text": [row["text"] for row in rows[start : start + 64]]}, files=files)
        parts.append(session.run(None, arrays)[0])
    vectors = np.concatenate(parts)
    classes = np.array([row["category"] for row in rows])
    means = np.stack([vectors[classes == label].mean(axis=0) for label in labels], axis=1).astype(np.float32)
    exact = Graph(graph(means), (feed,), files)
    sample = inputs_of(exact, {"text": [row["text"] for row in rows[::16]]})
    packages = {}
    for name, built in (("Headway, MiniLM fp32", exact), ("Headway, MiniLM int8", shrunk(exact, DYNAMIC, sample))):
        columns = {"text": [row["text"] for row in rows[:50]]}
        manifest = Manifest("minilm", "classify", "category", (InputColumn("text", "text", rows[0]["text"]),), (feed,),
                            tuple(labels))  # fmt: skip
        place = folder / name.replace(" ", "-") / "package"
        expected = open_graph(built).run(columns)
        packages[name] = write_package(place, built, manifest, card="", columns=columns, expected=expected)
    return packages


def _peers(folder: Path, data: Path) -> list[Server]:
    """Return the peers that can be installed here."""
    peers = []
    if MINILM.is_dir():
        try:
            python = str(peer_python("serving", *PEER_PACKAGES))
            for name, script in (
                ("FastAPI + Transformers pipeline", "serve_pipeline"),
                ("LitServe, batching", "serve_litserve"),
            ):
                command = [python, str(HERE / "peers" / f"{script}.py"), str(MINILM), "{port}"]
                peers.append(Server(name, command, "/predict", "text"))
        except SkippedError as reason:
            print(f"left out: {reason}")
    if (PEERS / "autogluon" / ".ready").exists() or "autogluon" in sys.argv:
        python = str(peer_python("autogluon", *AUTOGLUON, "fastapi", "uvicorn[standard]"))
        command = [python, str(HERE / "peers" / "serve_autogluon.py"), str(data / "train.csv"), "category", "120",
                   str(folder / "autogluon"), "{port}"]  # fmt: skip
        peers.append(Server("FastAPI + AutoGluon", command, "/predict", "text"))
    return peers


def _measure(server: Server, seen: Seen, texts: list[str], folder: Path) -> None:
    """Start a server, ask it alone and with many clients, and look at its memory."""
    bodies = folder / f"{server.wrap}.jsonl"
    bodies.write_text("\n".join(
        json.dumps({"rows": [{"text": text}]} if server.wrap == "rows" else {"text": text}) for text in texts
    ))  # fmt: skip
    with _running(server, bodies, seen) as port:
        time.sleep(3.0)  # a service may still be settling
        alone = _load(port, server.path, bodies, 1, SECONDS / 2)
        many = _load(port, server.path, bodies, CLIENTS, SECONDS)
        seen.memory.append(_memory_mb())
    print(
        f"{server.name}: {many['rate']} requests/s, alone {alone['p50']} ms, start {seen.starts[-1]:.2f} s",
        file=sys.stderr,
    )
    seen.lone.append(alone["p50"])
    seen.rates.append(many["rate"])
    seen.p50.append(many["p50"])
    seen.p99.append(many["p99"])
    seen.errors += many["errors"] + sum(count for status, count in many["statuses"].items() if status != "200")


@contextmanager
def _running(server: Server, bodies: Path, seen: Seen) -> Iterator[int]:
    """Run a server until the block ends; its start is measured to its first answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    body = bodies.read_bytes().splitlines()[0]
    began = time.perf_counter()
    process = subprocess.Popen([part.replace("{port}", str(port)) for part in server.command],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=HERE.parent)  # fmt: skip
    try:
        url, kind = f"http://127.0.0.1:{port}{server.path}", {"content-type": "application/json"}
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=30).read()
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - began > START:
                    raise SkippedError(f"{server.name} did not start") from None
                time.sleep(0.01)
        seen.starts.append(time.perf_counter() - began)
        yield port
    finally:
        try:
            family = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:  # it never came up
            family = []
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
        for child in family:
            if child.is_running():
                child.kill()


def _load(port: int, path: str, bodies: Path, clients: int, seconds: float) -> dict:
    command = [
        sys.executable,
        "-m",
        "benchmarks.load",
        f"127.0.0.1:{port}",
        path,
        str(bodies),
        str(clients),
        str(seconds),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=HERE.parent, timeout=seconds + 90
        )
    except subprocess.TimeoutExpired:
        raise SkippedError(f"the server on port {port} stopped answering; left out") from None
    return json.loads(done.stdout)


def _memory_mb() -> float:
    """Return the memory of the server that is running: all its processes, shared pages once."""
    server = psutil.Process().children()
    family = [each for child in server for each in (child, *child.children(recursive=True))]
    return sum(each.memory_full_info().pss for each in family) / 1e6


def _tell(seen: dict[str, Seen]) -> str:
    """Print the table; ratios are against the peer of the same line."""
    middle = statistics.median
    rows = [
        (name, f"{middle(each.rates):,.0f}", f"{middle(each.p50):.1f} ms", f"{middle(each.p99):.1f} ms",
         f"{middle(each.lone):.2f} ms", f"{middle(each.starts):.2f} s", f"{middle(each.memory):,.0f} MB", each.errors)
        for name, each in seen.items()
    ]  # fmt: skip
    head = ("server", f"requests/s, {CLIENTS} clients", "p50", "p99", "a lone request, p50", "start to first answer",
            "memory", "errors")  # fmt: skip
    text = print_table(f"Serving banking77, one text a request (medians of {ROUNDS} rounds, alternately)", head, rows)
    ratios = [
        (ours, theirs, f"{middle(seen[ours].rates) / middle(seen[theirs].rates):.1f}",
         f"{middle(seen[theirs].starts) / middle(seen[ours].starts):.1f}")
        for ours in seen for theirs in seen if ours.startswith("Headway") and not theirs.startswith("Headway")
    ]  # fmt: skip
    return (
        text
        + "\n"
        + print_table("Ratios", ("Headway", "peer", "times as many requests/s", "times as fast a start"), ratios)
    )
