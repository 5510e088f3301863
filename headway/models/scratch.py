"""What a killed fit goes on from: a folder that lasts as long as the run, and choices that are made once in it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from headway.compute.drafts import whole_file
from headway.models.family import Support

Kept = TypeVar("Kept")


@contextmanager
def scratch_of(support: Support) -> Iterator[Path]:
    """Yield the folder for what a killed fit goes on from, or one for the time being."""
    if support.scratch is not None:
        support.scratch.mkdir(parents=True, exist_ok=True)
        yield support.scratch
        return
    with tempfile.TemporaryDirectory(prefix="headway-") as folder:
        yield Path(folder)


def remembered(path: Path | None, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
    """Return the choice that an earlier fit made, a flat dataclass, or a new one, which is kept."""
    if path is None:
        return make()
    if path.exists():
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    choice = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(json.dumps(asdict(choice)), encoding="utf-8")  # type: ignore[call-overload]
    return choice
