"""How much memory a process needs that does nothing but serve one package.

Run as `python -m headway.runtime.footprint PACKAGE` with rows as a JSON list on standard input; prints MB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Open the package, answer the rows from standard input, and print this process's peak memory in MB."""
    from headway.runtime.model import load

    model = load(sys.argv[1])
    rows = json.load(sys.stdin)
    model.predict(rows[:1])
    model.predict(rows)
    sys.stdout.write(f"{peak_mb():.1f}\n")


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
