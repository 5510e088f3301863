"""Progress of a run: one line for what has ended, and on a terminal a moving line for what goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from headway.cli.messages import Language, as_word, call_metric, say
from headway.pipeline.events import (
    BestSoFar,
    CandidateFinished,
    CandidateStarted,
    Event,
    Remark,
    RunStarted,
    StageFinished,
    StageStarted,
    VariantTried,
)
from headway.project.units import write_seconds
from headway.report.translation import translate

_NAME_CELLS = 18
_STYLES = {
    "ok": "green",
    "won": "green",
    "dropped": "yellow",
    "over_limit": "yellow",
    "refused": "yellow",
    "skipped": "dim",
    "failed": "red",
}


@dataclass
class View:
    """Listens to a run; `folder` is known as soon as the run has one."""

    console: Console
    language: Language
    quiet: bool = False
    folder: Path | None = None
    stage: str = ""
    candidate: str = ""
    best: str = ""
    _estimate: float | None = None
    _candidate_since: float = 0.0
    _stage_since: float = 0.0
    _deadline: float | None = None
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))

    def listen(self, event: Event) -> None:
        """Take in one event and print its line, if it has one."""
        self._take_in(event)
        line = None if self.quiet else self._line(event)
        if line is not None:
            self.console.print(line, soft_wrap=not self.console.is_terminal, highlight=False)

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Show the moving line while the block runs, where there is a terminal to show it on."""
        if self.quiet or not self.console.is_terminal:
            yield
            return
        with Live(get_renderable=self._footer, console=self.console, refresh_per_second=8, transient=True):
            yield

    def _take_in(self, event: Event) -> None:
        """Remember what the moving line and an interruption need."""
        now = time.monotonic()
        match event:
            case RunStarted():
                self.folder = event.folder
            case StageStarted():
                self.stage, self._stage_since, self.candidate = event.name, now, ""
                self._know_budget(event.budget_left, now)
            case CandidateStarted():
                self.candidate, self._candidate_since, self._estimate = event.name, now, event.estimated_seconds
                self._know_budget(event.budget_left, now)
            case CandidateFinished():
                self.candidate = ""
                self._know_budget(event.budget_left, now)
            case StageFinished():
                self.stage = self.candidate = ""
            case BestSoFar():
                self.best = f"{event.name} {call_metric(event.metric, self.language)} {format_score(event.score)}"

    def _know_budget(self, left: float | None, now: float) -> None:
        self._deadline = None if left is None else now + left

    def _line(self, event: Event) -> Text | None:
        """Return the line that stays on the screen for an event."""
        match event:
            case RunStarted() if not self.console.is_terminal:
                # Known from the first moment, so that a killed run can be gone on with.
                command = f"headway run --resume {as_word(event.folder)}"
                return Text(say("run", self.language).format(folder=event.folder, command=command))
            case StageFinished():
                note = (
                    say("resumed", self.language)
                    if event.resumed and not event.note
                    else translate(event.note, self.language)
                )
                return _row("✓", "green", say(event.name, self.language), write_seconds(event.seconds), note)
            case CandidateFinished():
                return self._candidate_line(event)
            case VariantTried():
                return self._variant_line(event)
            case Remark():
                return Text.assemble(("! ", "yellow"), translate(event.text, self.language))
        return None

    def _candidate_line(self, event: CandidateFinished) -> Text:
        """Return `· cnn  12s  accuracy .987`, or why there is no score."""
        sign = {"ok": "·", "won": "·", "failed": "✗"}.get(event.status, "–")
        words = [] if event.status in ("ok", "won") else [say(event.status, self.language)]
        words += (
            [f"{call_metric(event.metric, self.language)} {format_score(event.score)}"]
            if event.score is not None
            else []
        )
        words += [translate(event.reason, self.language)] if event.reason else []
        note = ("，" if self.language == "zh" else ", ").join(words)
        seconds = "" if event.status == "skipped" else write_seconds(event.seconds)
        return _row(f"  {sign}", _STYLES[event.status], event.name, seconds, note, indent=2)

    def _variant_line(self, event: VariantTried) -> Text:
        """Return `· int8`, or why that is not smaller enough or loses too much."""
        words = [] if event.status == "ok" else [say(event.status, self.language)]
        words += [translate(event.reason, self.language)] if event.reason else []
        note = ("，" if self.language == "zh" else ", ").join(words)
        sign = {"ok": "·", "failed": "✗"}.get(event.status, "–")
        return _row(f"  {sign}", _STYLES[event.status], event.name, "", note, indent=2)

    def _footer(self) -> RenderableType:
        """Return the moving line: stage, candidate with its time, time left, best so far."""
        now = time.monotonic()
        words: list[str | tuple[str, str]] = [(say(self.stage, self.language) or "…", "bold")]
        if self.candidate:
            spent = write_seconds(int(now - self._candidate_since))
            about = (
                f" / {say('about', self.language).format(time=write_seconds(self._estimate))}" if self._estimate else ""
            )
            words.append(f"{self.candidate} {spent}{about}")
        elif self.stage:
            words.append(write_seconds(int(now - self._stage_since)))
        if self._deadline is not None:
            left = write_seconds(max(0, int(self._deadline - now)))
            words.append((say("left", self.language).format(time=left), "cyan"))
        if self.best:
            words.append(f"{say('best', self.language)}: {self.best}")
        line = Text("  ·  ").join(Text(*word) if isinstance(word, tuple) else Text(word) for word in words)
        line.no_wrap, line.overflow = True, "ellipsis"
        footer = Table.grid(padding=(0, 1))
        footer.add_row(self._spinner, line)
        return footer


def make_console() -> Console:
    """Return a console on the standard output; where that is no terminal, tables have room for their reasons."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=140)


def format_score(score: float | None) -> str:
    """Return a score in four significant places, an empty cell for none."""
    if score is None:
        return ""
    return f"{score:.4f}" if abs(score) < 10 else f"{score:,.4g}"


def _row(sign: str, style: str, name: str, seconds: str, note: str, *, indent: int = 0) -> Text:
    """Return one line with its columns aligned, also where the name is Chinese."""
    gap = " " * max(1, _NAME_CELLS - indent - cell_len(name))
    return Text.assemble((sign, style), f" {name}{gap}{seconds:>7}  {note}".rstrip())
