"""Files that a service keeps while it runs, and the removal of those that a killed one left behind.

A service holds a lock on each, which ends with its process, however that ends; process ids would not do, since
containers may share a folder and not their ids.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "headway-live-"
# A file may be this young and not yet locked (seconds).
_YOUNG = 60.0


def hold(path: Path) -> int:
    """Lock a file or folder for as long as the handle that is returned stays open."""
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def remove_leavings(place: Path, *, young: float = _YOUNG) -> None:
    """Remove from `place` what begins with `PREFIX`, is ours, and is held by no service any more."""
    for path in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another service is quicker, or still there
            state = path.lstat()
            if state.st_uid == os.getuid() and time.time() - state.st_ctime >= young:
                handle = hold(path)
                try:
                    _remove(path)
                finally:
                    os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
