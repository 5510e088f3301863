"""The past as one file of a package: plain numbers, whose count the manifest tells.

One after another, little-endian: times int64 `[n]`; the different keys of each column, uint64; which of them each event
has, uint32 `[n]` a column; values and at last outcomes, float32 `[n]` each.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headway.errors import PackageError
from headway.runtime.history.events import Events
from headway.runtime.manifest import History

FILE = "history.bin"


def write_past(history: History, past: Events) -> tuple[History, bytes]:
    """Return what the manifest says of the past, and the file that holds it."""
    split = [np.unique(past.keys[:, place], return_inverse=True) for place in range(len(history.keys))]
    parts = [past.times.astype("<i8")]
    parts += [keys.astype("<u8") for keys, _ in split]
    parts += [codes.ravel().astype("<u4") for _, codes in split]
    parts += [column.astype("<f4") for column in (*past.values.T, past.outcomes)]
    facts = replace(history, events=len(past), distinct=tuple(len(keys) for keys, _ in split))
    return facts, b"".join(part.tobytes() for part in parts)


def read_past(history: History, content: bytes) -> Events:
    """Return the past that `write_past` wrote; raises `PackageError` where the file is not what the manifest says."""
    rows, numbers = history.events, len(history.values) + 1
    wanted = rows * (8 + 4 * len(history.keys) + 4 * numbers) + 8 * sum(history.distinct)
    if len(content) != wanted:
        raise PackageError(
            "the history of the package does not fit its manifest",
            where=FILE,
            expected=f"{wanted} bytes",
            got=f"{len(content)} bytes",
        )
    take = _Reader(content)
    times = take(rows, "<i8")
    distinct = [take(count, "<u8") for count in history.distinct]
    codes = [take(rows, "<u4") for _ in history.keys]
    if any(len(code) and code.max() >= len(keys) for code, keys in zip(codes, distinct, strict=True)):
        raise PackageError("the history of the package names keys that it does not have", where=FILE)
    keys = np.stack([keys[code] for keys, code in zip(distinct, codes, strict=True)], axis=1)
    table = np.stack([take(rows, "<f4") for _ in range(numbers)], axis=1)
    return Events(times.astype(np.int64), keys.astype(np.uint64), table[:, :-1], table[:, -1])


class _Reader:
    """Takes arrays from the front of some bytes."""

    def __init__(self, content: bytes) -> None:
        """Begin at the front."""
        self.content, self.place = content, 0

    def __call__(self, count: int, kind: str) -> np.ndarray:
        """Return the next `count` numbers."""
        array = np.frombuffer(self.content, kind, count, self.place)
        self.place += array.nbytes
        return array
