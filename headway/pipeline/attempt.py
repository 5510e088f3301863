"""One attempt at a run: what every stage needs to know, and how stages announce themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from headway.compute.clock import Clock
from headway.pipeline.events import Event, Listener, Remark, StageFinished, StageStarted, Unkept
from headway.pipeline.folder import RunFolder, Stopwatch
from headway.project.schema import Project
from headway.training.state import unkept

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
    unkept: list[str] = field(default_factory=list)

    def listen(self, event: Event) -> None:
        """Pass an event on, and remember remarks for the report."""
        if isinstance(event, Unkept):
            self.unkept.append(event.text)
        elif isinstance(event, Remark):
            self.remarks.append(event.text)
        self.listener(event)

    def note_seconds(self) -> None:
        """Keep the time used so far, so that a run killed right now resumes with the rest of its budget.

        Time whose fruit the disk had no room for is not counted: a resumed run has to take it again.
        """
        if not self.unkept:
            self.folder.note_seconds(self.watch.seconds)

    @contextmanager
    def keeping(self, what: str) -> Iterator[None]:
        """Let a run go on with what it has in memory where the disk has no room for it, and tell that."""
        try:
            yield
        except OSError as error:
            self.listen(unkept(what, error))

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
        self.note_seconds()
        self.listen(StageFinished(name, time.monotonic() - started, note.text, resumed=note.resumed))
