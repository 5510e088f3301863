"""Numbers for deployments that mean the same in all workers, also in one that starts later.

Counts lie in shared memory by number, so every worker must give a version the same one. A file that grows holds them:
the number of a deployment is that of its line.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

Named = tuple[str, str]


class Numbering:
    """The numbers of deployments (name, version); without a file they are this process's own."""

    def __init__(self, path: Path | None = None) -> None:
        """Share the numbers in the file `path`, which is made where it is absent."""
        self._path = path
        self._numbers: dict[Named, int] = {}

    def of(self, name: str, version: str) -> int:
        """Return the number of a deployment; a new one gets the next, whichever worker asks first.

        Raises `OSError` where a new one cannot be written down; the file then stays as it was.
        """
        number = self._numbers.get((name, version))
        return self._enter((name, version)) if number is None else number

    def all(self) -> dict[int, Named]:
        """Return name and version of every deployment so far, also of those that other workers had."""
        if self._path is not None and self._path.exists():
            self._learn(self._path.read_bytes())
        return {number: named for named, number in self._numbers.items()}

    def _enter(self, named: Named) -> int:
        """Return the number of a deployment that this process does not know, writing it down where nobody has."""
        if self._path is None:
            return self._numbers.setdefault(named, len(self._numbers))
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)  # closing the file ends it
            self._learn(os.pread(handle, os.fstat(handle).st_size, 0))
            if named not in self._numbers:
                _append(handle, json.dumps(named).encode() + b"\n", self._path)
                self._numbers[named] = len(self._numbers)
        finally:
            os.close(handle)
        return self._numbers[named]

    def _learn(self, content: bytes) -> None:
        for number, line in enumerate(content.splitlines()):
            name, version = json.loads(line)
            self._numbers[name, version] = number


def _append(handle: int, line: bytes, path: Path) -> None:
    """Write a line as a whole, or nothing: half of one could be read by no worker."""
    before = os.fstat(handle).st_size
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError as error:
        os.ftruncate(handle, before)
        raise OSError(error.errno, error.strerror, str(path)) from error
