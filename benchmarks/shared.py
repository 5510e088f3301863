"""What every benchmark needs: data sets, peers, a user's commands with their cost, and tables of results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
DATA = Path(os.environ.get("HEADWAY_DATA", HERE.parent.parent / "shared" / "data"))
PEERS = Path(os.environ.get("HEADWAY_BENCH_PEERS", HERE.parent / "build" / "peers"))


# Seconds between looks at the memory of a command and its children, and so many times what a look takes at least.
_LOOK_SECONDS, _LOOK_REST = 0.2, 50.0


class SkippedError(Exception):
    """This benchmark cannot run here; the message says why."""


@dataclass(frozen=True)
class Spent:
    """What a command cost: wall seconds, peak MB (1e6 bytes, its child processes included), and what it printed."""

    seconds: float
    peak_mb: float
    printed: str


@dataclass(frozen=True)
class Ran:
    """A finished `headway run`: its folder, its `result.json`, and what it cost."""

    folder: Path
    result: Mapping[str, Any]
    spent: Spent


def find_data(name: str) -> Path:
    """Return the folder of a data set; raises `SkippedError` where it is absent."""
    folder = DATA / name
    if not folder.exists():
        raise SkippedError(f"the data set {name} is not here (set HEADWAY_DATA to the folder that holds it)")
    return folder


def peer_python(name: str, *requirements: str) -> Path:
    """Return the Python of a peer's own virtual environment, made on first use; raises `SkippedError` if it fails."""
    folder = PEERS / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        except subprocess.CalledProcessError as error:
            raise SkippedError(f"the peer {name} could not be installed ({error})") from error
        ready.touch()
    return python


def run_headway(project: str, folder: Path) -> Ran:
    """Write a project file into `folder` and run it as a user does, in a process of its own."""
    path = folder / "headway.yaml"
    path.write_text(project, encoding="utf-8")
    spent = call(sys.executable, "-m", "headway.cli", "run", str(path), "--out", str(folder / "runs"))
    (run,) = (folder / "runs").glob("*/latest")
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return Ran(run.resolve(), result, spent)


def predict_headway(run: Path, table: Path, out: Path) -> Spent:
    """Answer a table as a user does, in a process of its own."""
    return call(sys.executable, "-m", "headway.cli", "predict", str(run), str(table), "--out", str(out))


def call(*command: str | Path) -> Spent:
    """Run a command to its end; raises `RuntimeError` with what it said when it fails."""
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=HERE.parent)
        peak = 0.0
        while process.poll() is None:
            looked = time.monotonic()
            peak = max(peak, _resident_mb(process.pid))
            # A look at a large process takes long, and holds it up: few looks are enough, its own peak is not lost.
            time.sleep(max(_LOOK_SECONDS, _LOOK_REST * (time.monotonic() - looked)))
        seconds = time.monotonic() - began
        said.seek(0)
        printed = said.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{printed[-2000:]}")
    return Spent(seconds, peak, printed)


def _resident_mb(pid: int) -> float:
    """Return the memory of a process and its children now, shared pages once, or its own peak where that is more."""
    try:
        watched = psutil.Process(pid)
        family = sum(_kilobytes(each.pid, "smaps_rollup", "Pss") for each in (watched, *watched.children()))
        own = _kilobytes(pid, "status", "VmHWM")
    except (psutil.NoSuchProcess, OSError):
        return 0.0
    return max(family, own) * 1024 / 1e6


def _kilobytes(pid: int, file: str, field: str) -> int:
    """Return a figure of the kernel's about a process; other systems than Linux do not have it, and give zero."""
    path = Path(f"/proc/{pid}/{file}")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


def time_calls(work: Callable[[], object], *, calls: int) -> float:
    """Return the median wall seconds of so many calls, after one to warm up."""
    work()
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Print and return a Markdown table."""
    lines = [f"### {title}", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    return text


def describe_machine() -> str:
    """Return one line about this machine and the day."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, {os.cpu_count()} cores, {model}, Python {platform.python_version()}"
