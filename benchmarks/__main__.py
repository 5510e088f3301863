"""Run benchmarks: `python -m benchmarks [NAME ...]`; all of them without a name. `--save` keeps a dated result file."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from datetime import UTC, datetime

import benchmarks
from benchmarks.shared import HERE, SkippedError, describe_machine

NOT_BENCHMARKS = {"__main__", "load", "shared"}


def main() -> None:
    """Run what was asked for; a benchmark that cannot run here says why and is skipped."""
    asked = [name for name in sys.argv[1:] if not name.startswith("-")]
    known = sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in NOT_BENCHMARKS and not module.ispkg
    )
    unknown = set(asked) - set(known)
    if unknown:
        sys.exit(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    # A program that was installed is compiled; a start without that would be measured too long.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in asked or known:
        print(f"## {name} ({describe_machine()})\n", flush=True)
        try:
            text = importlib.import_module(f"benchmarks.{name}").main()
        except SkippedError as reason:
            print(f"skipped: {reason}\n")
            continue
        if "--save" in sys.argv and text:
            day = datetime.now(UTC).date().isoformat()
            (HERE / "results").mkdir(exist_ok=True)
            (HERE / "results" / f"{day}-{name}.md").write_text(f"# {name}\n\n{describe_machine()}\n\n{text}")


if __name__ == "__main__":
    main()
