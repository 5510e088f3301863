"""What others may know and decide while requests are answered: a store, drift, experiments.

Both hooks run in the worker's event loop: they must return at once and hand longer work to a thread of their own. An
exception from them is logged and counted and never reaches a client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Served:
    """One request that was answered.

    `rows` as the client sent them (column -> cell; images as bytes), `answers` one for each row as the client gets them
    (`prediction`, `confidence`, `probabilities`), `seconds` from the request's first byte read to its answer, `key` the
    id of the API key. `arm` is what the router said about the choice, `shadow` tells that the client got another
    deployment's answers. `places` are the numbers of the rows in the request where they are not 0, 1, 2, ...: a stream
    of lines is answered, and told, piece by piece.
    """

    request_id: str
    name: str
    version: str
    rows: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    seconds: float
    user: str | None = None
    key: str | None = None
    arm: str | None = None
    shadow: bool = False
    places: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """One request that was refused or failed: its status and the word for it; `shadow` as in `Served`."""

    request_id: str
    name: str | None
    version: str | None
    status: int
    kind: str
    seconds: float
    user: str | None = None
    arm: str | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a client says of the answer to row `row` (from 0) of an earlier request.

    `truth` is the right answer, None where nothing is said of it; `value` is what the answer was worth.
    """

    request_id: str
    row: int
    truth: Any
    name: str
    user: str | None = None
    note: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A package that answers from now on under `name`, in place of what answered under it before.

    `path` is where it lies; None for a model that was made in this process. `reads`: the columns that it wants of each
    row; `labels`: what it may answer, those of several targets with the target's name. Of a package with a history
    `remembers_until` is the time of the newest row that it remembers, in seconds since 1970 UTC.
    """

    name: str
    version: str
    task: str
    path: str | None = None
    reads: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    remembers_until: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The deployment that answers a request, by its key in the registry, and those that only listen."""

    key: str
    arm: str | None = None
    shadows: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Routed:
    """Who was to answer a request, and for whom: known before it is answered, and so of requests that fail."""

    name: str
    version: str
    user: str | None = None
    arm: str | None = None


class Observer(Protocol):
    """Is told about every request; see the module's docstring for how fast it must be."""

    def opened(self, event: Opened) -> None:
        """Take note of a package that answers from now on, at the start and after each deploy."""

    def served(self, event: Served) -> None:
        """Take note of a request that was answered."""

    def failed(self, event: Failed) -> None:
        """Take note of a request that was not."""

    def told(self, event: Feedback) -> bool:
        """Take note of feedback; return whether it is kept."""

    def close(self) -> None:
        """Finish what is unfinished; the worker is about to stop."""


class Router(Protocol):
    """Picks the deployment that answers for a name."""

    def pick(self, name: str, user: str | None, request_id: str) -> Choice:
        """Return the choice for one request; `name` is one that is served."""


class Silent:
    """The observer of a service that keeps nothing."""

    def opened(self, event: Opened) -> None:
        """Forget it."""

    def served(self, event: Served) -> None:
        """Forget it."""

    def failed(self, event: Failed) -> None:
        """Forget it."""

    def told(self, event: Feedback) -> bool:
        """Forget it, and say so."""
        del event
        return False

    def close(self) -> None:
        """Have nothing to finish."""


class Plain:
    """The router of a service with one deployment for each name."""

    def pick(self, name: str, user: str | None, request_id: str) -> Choice:
        """Return the deployment of that name."""
        del user, request_id
        return Choice(name)
