"""One process at a time works in a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.errors import RunError


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Hold a run folder until the block ends; raises `RunError` where another process holds it.

    The lock is the system's and ends with its process, however that ends: a killed run can be resumed at once.
    """
    handle = _lock(folder)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(folder: Path) -> int | None:
    """Return the handle whose lock lasts as long as it is open; None on a system that has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise RunError(
            "another process is at work in this run",
            where=str(folder),
            fix="wait until it is done, or end it and resume then",
        ) from error
    except OSError:  # some network file systems lock nothing
        os.close(handle)
        return None
    return handle
