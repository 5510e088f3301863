"""How one way of making a model smaller did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from headway.compression.gate import Change
from headway.compute.clock import Clock
from headway.package.graph import Graph
from headway.package.measuring import Measured

Kind = Literal["original", "quantised", "pruned", "distilled"]
# chosen: it ships. ok: it may ship, another does. refused: it loses too much, breaks a limit, or gains nothing.
# skipped: no time was left for it. failed: it raised.
Status = Literal["original", "chosen", "ok", "refused", "skipped", "failed"]


@dataclass(frozen=True)
class Verdict:
    """One line of the trade-off: what it weighs and takes, what it loses, and whether it may ship.

    `measured` (size, latency of one row, rows a second, memory) is taken from the model that judges, on this machine;
    `seconds` is what making it took.
    """

    name: str
    kind: Kind
    status: Status
    reason: str = ""
    measured: Measured | None = None
    change: Change | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Made:
    """A smaller model that learnt from the fold's rows, and the way to the same from all rows.

    `following` returns what is worth a try next, made from the same weights, given whether this one lost little enough.
    """

    graph: Graph
    ship: Callable[[Clock], Graph]
    following: Callable[[bool], Variant | None] = lambda _: None


@dataclass(frozen=True)
class Variant:
    """One way of making a model smaller; `make` raises `HeadwayError` where it cannot be done.

    `estimate` returns the seconds that making it, for the judge and then for all rows, should take.
    """

    name: str
    kind: Kind
    make: Callable[[Clock], Made]
    estimate: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True)
class Chosen:
    """The smaller model that may ship, and what it answers to the rows that judge."""

    name: str
    kind: Kind
    graph: Graph
    change: Change


@dataclass(frozen=True)
class Search:
    """All verdicts, the original's first, and what was chosen, None where the original stays."""

    verdicts: tuple[Verdict, ...]
    drop: float
    chosen: Chosen | None = None
