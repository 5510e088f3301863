"""Where the real data sets are, and how results are printed and kept."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
DATA = Path(os.environ.get("HEADWAY_DATA", HERE.parent.parent / "shared" / "data"))
PEERS = Path(os.environ.get("HEADWAY_BENCH_PEERS", HERE.parent / "build" / "peers"))


class SkippedError(Exception):
    """This benchmark cannot run here; the message says why."""


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
