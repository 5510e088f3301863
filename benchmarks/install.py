"""The size of the core install in a fresh virtual environment, and how soon its commands answer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers import AUTOGLUON
from benchmarks.shared import HERE, SkippedError, peer_python, print_table, time_calls

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
            ["headway --help, seconds", seconds(environment / "bin" / "headway", "--help"), "<= 0.3"],
            ["import headway.runtime, seconds", seconds(python, "-c", "import headway.runtime"), "<= 1"],
            ["python -c pass, seconds", seconds(python, "-c", "pass"), ""],
            *measure_peer(),
        ]
    return print_table("Install and start", ("what", "measured", "to reach"), rows)


def measure_peer() -> list[list[str]]:
    """Return the same of AutoGluon Tabular, or why not."""
    try:
        python = peer_python("autogluon", *AUTOGLUON)
    except SkippedError as reason:
        return [["AutoGluon Tabular", f"skipped: {reason}", ""]]
    return [
        ["AutoGluon Tabular's environment, MB", f"{size_mb(python.parents[1]):.0f}", ""],
        [
            "import autogluon.tabular, seconds",
            seconds(python, "-c", "from autogluon.tabular import TabularPredictor"),
            "",
        ],
    ]


def size_mb(folder: Path) -> float:
    """Return the disk space of a folder in MB (1e6 bytes), as the file system counts it."""
    kilobytes = int(subprocess.run(["du", "-sk", str(folder)], check=True, capture_output=True).stdout.split()[0])
    return kilobytes * 1024 / 1e6


def seconds(*command: str | Path) -> str:
    """Return the median wall seconds of a command."""
    return f"{time_calls(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), calls=ROUNDS):.2f}"
