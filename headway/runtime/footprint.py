"""How much memory a process needs that does nothing but serve one package.

Run as `python -m headway.runtime.footprint PACKAGE` with a JSON list on standard input, of rows, of texts for a
package that writes, or of one number, how many pictures a package shall draw; prints MB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_TOKENS = 32


def main() -> None:
    """Open the package, answer what stands on standard input, and print this process's peak memory in MB."""
    rows = json.load(sys.stdin)
    if isinstance(rows[0], str):
        write(sys.argv[1], rows)
    elif isinstance(rows[0], int):
        draw(sys.argv[1], rows[0])
    else:
        predict(sys.argv[1], rows)
    sys.stdout.write(f"{peak_mb():.1f}\n")


def predict(package: str, rows: list[dict[str, Any]]) -> None:
    """Answer rows, one and then all."""
    from headway.runtime.model import load

    model = load(package)
    model.predict(rows[:1])
    model.predict(rows)


def write(package: str, texts: list[str]) -> None:
    """Continue texts, all at once."""
    from headway.runtime.generation import load_generator

    load_generator(package).generate(texts, max_tokens=_TOKENS, seed=0)


def draw(package: str, count: int) -> None:
    """Draw pictures."""
    from headway.runtime.image_generation import load_image_generator

    load_image_generator(package).generate(count, seed=0)


def peak_mb() -> float:
    """Return the peak resident memory of this process in MB (2^20 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # not ru_maxrss: on Linux a child inherits it from the process that started it
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


if __name__ == "__main__":
    main()
