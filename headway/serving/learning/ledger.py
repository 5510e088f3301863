"""Figures that all workers of a server share: each writes its own small file, and whoever is asked adds them up."""

from __future__ import annotations

import json
import operator
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

EVERY_SECONDS = 1.0
_JOINED: Mapping[str, Callable[[float, float], float]] = {"counter": operator.add, "gauge": max, "least": min}


@dataclass(frozen=True)
class Figure:
    """One figure of `/metrics`: a counter is summed over workers, of a gauge the largest counts, or the least."""

    name: str
    value: float
    kind: Literal["counter", "gauge", "least"]
    labels: tuple[tuple[str, str], ...] = ()


class Ledger:
    """This worker's figures on disk, written every second; what a worker that has died counted stays counted."""

    def __init__(self, folder: Path, read: Callable[[], list[Figure]], *, every: float = EVERY_SECONDS) -> None:
        """Write what `read` says into `folder`, which all workers share."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / f"{os.getpid()}.json"
        self._read, self._every = read, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="headway-ledger", daemon=True)

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def close(self) -> None:
        """Write once more, gauges aside, and stop."""
        self._stop.set()
        self._write([figure for figure in self._read() if figure.kind == "counter"])

    def figures(self) -> list[Figure]:
        """Return the figures of all workers together, this one's as of now."""
        self._write(self._read())
        return add_up(self._file.parent)

    def _work(self) -> None:
        while not self._stop.wait(self._every):
            self._write(self._read())

    def _write(self, figures: list[Figure]) -> None:
        plain = [[figure.name, figure.value, figure.kind, list(figure.labels)] for figure in figures]
        draft = self._file.with_suffix(f".{threading.get_ident()}")
        try:
            draft.write_text(json.dumps(plain), encoding="utf-8")
            draft.replace(self._file)
        except OSError:
            draft.unlink(missing_ok=True)  # the disk is full: the figures come with the next second


def add_up(folder: Path) -> list[Figure]:
    """Return all workers' figures: counters summed, of gauges the largest or least; sorted by name and labels.

    Of a worker that was killed only the counters count: its gauges tell of what is no more.
    """
    total: dict[tuple[str, tuple[tuple[str, str], ...]], Figure] = {}
    for figure in (figure for path in sorted(folder.glob("*.json")) for figure in _read_file(path)):
        key = (figure.name, figure.labels)
        known = total.get(key)
        if known is None:
            total[key] = figure
        else:
            value = _JOINED[figure.kind](known.value, figure.value)
            total[key] = Figure(figure.name, value, figure.kind, figure.labels)
    return [total[key] for key in sorted(total)]


def shared_folder(parent: int, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that all workers of one supervisor (its process id) find by themselves, and no others."""
    import psutil

    named = environment.get("HEADWAY_LEDGER")
    if named:
        return Path(named)
    began = int(psutil.Process(parent).create_time())
    return Path(tempfile.gettempdir()) / f"headway-{os.getuid() if hasattr(os, 'getuid') else 0}-{parent}-{began}"


def _read_file(path: Path) -> Iterator[Figure]:
    is_alive = _lives(int(path.stem))
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for name, value, kind, labels in plain:
        if is_alive or kind == "counter":
            yield Figure(
                str(name),
                float(value),
                kind if kind in _JOINED else "gauge",
                tuple((str(a), str(b)) for a, b in labels),
            )


def _lives(process: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(process))
