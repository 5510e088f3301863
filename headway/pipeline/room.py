"""A disk that is full: what a run says then, and what makes room."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.errors import RunError
from headway.pipeline.folder import LATEST, PROJECT

# With less than this free, an error of a writer that tells no number is one of the disk.
NOTHING_FREE = 2**16
# A package and its archive take about twice what the largest file of a run does; a small run wants this in MB.
COPIES, LEAST_MB = 2, 10
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def told_of_full_disk(folder: Path) -> Iterator[None]:
    """Let a run in `folder` end with `RunError` where its disk has no room left: where, how much, and how to go on."""
    try:
        yield
    except Exception as error:
        if not is_full(error, folder):
            raise
        raise full_disk(folder) from error


def is_full(error: BaseException, folder: Path) -> bool:
    """Tell whether an error is that of a full disk; not every writer hands on the number that says so."""
    said: BaseException | None = error
    while said is not None:
        if isinstance(said, OSError) and said.errno in _FULL:
            return True
        if "No space left on device" in str(said):
            return True
        said = said.__cause__ or said.__context__
    return isinstance(error, OSError) and shutil.disk_usage(folder).free < NOTHING_FREE


def full_disk(folder: Path) -> RunError:
    """Return what to tell of the full disk of a run."""
    largest = max((file.stat().st_size for file in folder.rglob("*") if file.is_file()), default=0)
    wanted = max(LEAST_MB, round(COPIES * largest / 2**20))
    return RunError(
        "the disk is full",
        where=str(folder),
        expected=f"about {wanted:,} MB of room",
        got=f"{shutil.disk_usage(folder).free / 2**20:,.1f} MB free",
        fix=next_step(folder),
    )


def next_step(folder: Path) -> str:
    """Return what makes room, and how to go on."""
    older = [run for run in folder.parent.iterdir() if run.name not in (LATEST, folder.name) and run.is_dir()]
    taken = sum(map(size_of, older)) / 2**20
    deletable = f" (older runs in {folder.parent} take {taken:,.0f} MB)" if taken >= 1 else ""
    again = f"headway run --resume {folder}" if (folder / PROJECT).exists() else "start the run again"
    return f"free room on this disk{deletable}, then: {again}"


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
