"""The run folder: where it is, what is finished in it, and how much of the budget it has used."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from headway.compute.drafts import whole_file
from headway.errors import RunError
from headway.project.schema import Project

STATE = "state.json"
# What a killed fit goes on from; gone once the tournament is over.
SCRATCH = "scratch"
PROJECT = "project.json"
RESULT = "result.json"
REPORT = "report.html"
PACKAGE = "package"
LATEST = "latest"


@dataclass(frozen=True)
class RunFolder:
    """A run on disk. Everything in it is written under a temporary name and renamed."""

    path: Path

    @property
    def seconds_used(self) -> float:
        """Seconds of the budget that earlier, killed attempts at this run have used for what is kept of them.

        Nothing is noted while a candidate trains: how long that went on is told by its last checkpoint.
        """
        if not (self.path / STATE).exists():
            return 0.0
        noted = (self.path / STATE).stat().st_mtime
        files = (file for file in (self.path / SCRATCH).rglob("*") if not file.name.startswith("."))
        kept = max((file.stat().st_mtime for file in files), default=noted)
        return float(self.state().get("seconds_used", 0.0)) + max(0.0, kept - noted)

    def state(self) -> dict[str, Any]:
        """Return the run's state; empty for a run that has just begun."""
        file = self.path / STATE
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def note_seconds(self, seconds: float) -> None:
        """Remember how many seconds of the budget are used up; a full disk leaves the last note where it is."""
        with suppress(OSError):
            write_json(self.path / STATE, {**self.state(), "seconds_used": round(seconds, 3)})

    @property
    def finished(self) -> bool:
        """Tell whether the run went to its end."""
        return (self.path / RESULT).exists()


def create_run_folder(name: str, out: Path) -> RunFolder:
    """Make `out/<name>/<time>/`; runs that start in the same second get a number."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        path = out / name / (stamp if number == 0 else f"{stamp}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(
                "the run folder cannot be made", where=str(path), got=str(error), fix="choose another --out"
            ) from error
        return RunFolder(path)
    raise RunError("too many runs started at once", where=str(out / name))


def open_run_folder(path: Path) -> RunFolder:
    """Return an existing run; raises `RunError` where there is none."""
    resolved = path.resolve()
    if not (resolved / PROJECT).exists():
        near = (
            sorted(str(found.parent) for found in path.parent.glob(f"*/{PROJECT}"))[:3] if path.parent.exists() else []
        )
        raise RunError(
            "this is not a run folder",
            where=str(path),
            expected=f"a folder that `headway run` made, with {PROJECT} in it",
            got="no such folder" if not path.exists() else "a folder without it",
            fix=f"one of {', '.join(near)}" if near else "look under runs/<name>/",
        )
    return RunFolder(resolved)


def read_project(folder: RunFolder) -> Project:
    """Return the project that a run was started with."""
    return Project.model_validate(json.loads((folder.path / PROJECT).read_text(encoding="utf-8")), strict=False)


def move_latest(folder: RunFolder) -> None:
    """Let `latest` beside the run point at it, in one step; where links are not allowed it is a text file."""
    link = folder.path.parent / LATEST
    draft = folder.path.parent / f".{LATEST}.{os.getpid()}"
    try:
        draft.symlink_to(folder.path.name)
    except OSError:
        draft.write_text(folder.path.name)
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    draft.replace(link)


def follow_latest(path: Path) -> Path:
    """Return where a `latest` text file points, any other path as it is."""
    if path.name == LATEST and path.is_file():
        return path.parent / path.read_text().strip()
    return path


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, all or nothing; NaN and infinities become null so that any reader accepts it."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(finite(content), ensure_ascii=False, indent=1, default=str), encoding="utf-8")


def finite(value: Any) -> Any:
    """Return the same structure with non-finite floats as None."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - the NaN test
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


class Stopwatch:
    """Counts the seconds a run has used, over all its attempts."""

    def __init__(self, used_before: float) -> None:
        """Start at `used_before` seconds."""
        self.started = time.monotonic() - used_before

    @property
    def seconds(self) -> float:
        """Seconds used so far."""
        return time.monotonic() - self.started
