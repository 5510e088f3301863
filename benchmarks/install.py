"""The size of the core install in a fresh virtual environment, and how soon its commands answer."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.shared import HERE, print_table

ROUNDS = 5


def main() -> str:
    """Install the core from this checkout and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        python = environment / "bin" / "python"
        constraints = ["-c", str(HERE.parent / "constraints.txt")]
        started = time.monotonic()
        subprocess.run([python, "-m", "pip", "install", "--quiet", *constraints, str(HERE.parent)], check=True)
        installed = time.monotonic() - started
        rows = [
            ["core install, MB (du of the virtual environment)", f"{size_mb(environment):.0f}", "<= 700"],
            ["core install, seconds", f"{installed:.0f}", ""],
            ["headway --help, seconds", f"{seconds([str(environment / 'bin' / 'headway'), '--help']):.2f}", "<= 0.3"],
            [
                "import headway.runtime, seconds",
                f"{seconds([str(python), '-c', 'import headway.runtime']):.2f}",
                "<= 1",
            ],
            ["python -c pass, seconds", f"{seconds([str(python), '-c', 'pass']):.2f}", ""],
        ]
    return print_table("Install and start", ("what", "measured", "to reach"), rows)


def size_mb(folder: Path) -> float:
    """Return the disk space of a folder in MB (1e6 bytes), as the file system counts it."""
    kilobytes = int(subprocess.run(["du", "-sk", str(folder)], check=True, capture_output=True).stdout.split()[0])
    return kilobytes * 1024 / 1e6


def seconds(command: list[str]) -> float:
    """Return the median wall seconds of a command over a few rounds, after one to warm the disk."""
    times = []
    for _ in range(ROUNDS + 1):
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - started)
    return statistics.median(times[1:])
