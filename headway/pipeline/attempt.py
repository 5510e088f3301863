"""One attempt at a run: what every stage needs to know, and how stages announce themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from headway.compute.clock import Clock
from headway.pipeline.events import Event, Listener, Remark, StageFinished, StageStarted
from headway.pipeline.folder import RunFolder, Stopwatch
from headway.project.schema import Project

Lang = Literal["en", "zh"]


@dataclass
class StageNote:
    """What a stage has to say of itself when it ends."""

    text: str = ""
    resumed: bool = False


@dataclass(frozen=True)
class Attempt:
    """A run under way. `watch` counts the seconds of all attempts at it together."""

    project: Project
    folder: RunFolder
    watch: Stopwatch
    lang: Lang
    listener: Listener
    remarks: list[str] = field(default_factory=list)

    def listen(self, event: Event) -> None:
        """Pass an event on, and remember remarks for the report."""
        if isinstance(event, Remark):
            self.remarks.append(event.text)
        self.listener(event)

    @property
    def seconds_left(self) -> float:
        """Seconds left in the budget, never below zero."""
        return max(0.0, self.project.budget.time - self.watch.seconds)

    @property
    def clock(self) -> Clock:
        """The end of the budget."""
        return Clock.after(self.seconds_left)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageNote]:
        """Announce a stage and its end, and remember the time it has used."""
        self.listen(StageStarted(name, self.seconds_left))
        started, note = time.monotonic(), StageNote()
        yield note
        self.folder.note_seconds(self.watch.seconds)
        self.listen(StageFinished(name, time.monotonic() - started, note.text, resumed=note.resumed))
