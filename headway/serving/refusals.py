"""Why a request is not answered, in the form that clients read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.errors import HeadwayError, Problem

if TYPE_CHECKING:
    from headway.report.translation import Lang

# An answer lists no more than so many; its message counts them all.
_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class FieldProblem:
    """One cell or field that does not fit; `row` counts from 0 in the rows that were sent, None for the request."""

    row: int | None
    field: str
    expected: str
    got: str
    next: str = ""

    def as_json(self, lang: Lang = "en") -> dict[str, Any]:
        """Return the problem without its empty parts, in a language."""
        parts = {
            "row": self.row,
            "field": self.field,
            "expected": tell(self.expected, lang),
            "got": tell(self.got, lang),
            "next": tell(self.next, lang),
        }
        return {name: part for name, part in parts.items() if part not in (None, "")}

    def __str__(self) -> str:
        """Return the problem as one line that names its place as a path."""
        place = self.field if self.row is None else f"rows[{self.row}].{self.field}".rstrip(".")
        return f"{place}: expected {self.expected}, got {self.got}"


@dataclass(eq=False)
class RefusalError(HeadwayError):
    """A request that is answered with an error: its HTTP status, a word for programs, and words for people."""

    status: int
    kind: str
    message: str
    fields: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    next: str = ""
    # Further fields that clients of other makers read.
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give the error the form of the house's other errors."""
        Exception.__init__(self, self.message)
        self.problems = (Problem(self.message, fix=self.next),)

    def as_json(self, lang: Lang = "en") -> dict[str, Any]:
        """Return the error as a client reads it: what is for people in a language, what is for programs as it is."""
        body: dict[str, Any] = {"type": self.kind, "message": tell(self.message, lang)}
        if self.fields:
            body["problems"] = [problem.as_json(lang) for problem in self.fields[:_MOST_PROBLEMS]]
        if self.next:
            body["next"] = tell(self.next, lang)
        return {**body, **self.more}


def tell(words: str, lang: Lang) -> str:
    """Return words of a refusal in a language; what a client has sent, which stands in quotes, stays as it is."""
    return words if lang == "en" or words[:1] in {"'", '"'} else _translated(words, lang)


@lru_cache(maxsize=1024)
def _translated(words: str, lang: Lang) -> str:
    from headway.report.translation import translate_error

    return translate_error(words, lang)


def wrong_input(fields: Sequence[FieldProblem]) -> RefusalError:
    """Return the 422 for fields that do not fit."""
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    return RefusalError(422, "wrong_input", f"{fields[0]}{more}", fields)


def no_model(name: str, names: Sequence[str]) -> RefusalError:
    """Return the 404 for a model that is not served, with those that are."""
    words = f"no model {name[:80]!r} is served here; there is: {', '.join(names) or 'none'}"
    more = {"param": "model", "code": "model_not_found"}
    return RefusalError(404, "invalid_request_error", words, next="GET /v1/models", more=more)


def no_writer(name: str, names: Sequence[str]) -> RefusalError:
    """Return the 404 for a model that writes no text here, with those that do."""
    there = f"no model {name[:80]!r} writes text here; there is: {', '.join(names)}"
    words = there if names else "no model writes text here"
    more = {"param": "model", "code": "model_not_found"}
    return RefusalError(404, "invalid_request_error", words, next="GET /v1/models", more=more)


def no_painter(name: str, names: Sequence[str]) -> RefusalError:
    """Return the 404 for a model that draws no pictures here, with those that do."""
    there = f"no model {name[:80]!r} draws pictures here; there is: {', '.join(names)}"
    words = there if names else "no model draws pictures here"
    more = {"param": "model", "code": "model_not_found"}
    return RefusalError(404, "invalid_request_error", words, next="GET /v1/models", more=more)


def too_large(what: str, *, most: int, got: int | str) -> RefusalError:
    """Return the 413 for a body or a number of rows beyond the bound."""
    return RefusalError(
        413,
        "too_large",
        f"{what} is too large: expected at most {most:,}, got {got}",
        next="send several smaller requests, or JSON Lines (content-type: application/x-ndjson)",
    )


def not_released(problem: Problem) -> RefusalError:
    """Return the 409 for a package that must not take another's place, with what was found."""
    fix = problem.fix or "put it right, and deploy it again"
    what = f"{problem.where}: {problem.what}" if problem.where else problem.what
    fields = [FieldProblem(None, "package", problem.expected, problem.got, fix)]
    return RefusalError(409, "not_released", what, fields if problem.expected or problem.got else (), next=fix)


def no_room(place: Path, size: int | None, error: OSError) -> RefusalError:
    """Return the 507 for a package that cannot be stored in the folder `place`; its `size` in bytes where known."""
    expected = "room for the whole package" if size is None else f"room for {size:,} bytes"
    try:
        free = f"{shutil.disk_usage(place).free:,} bytes free in {place}"
    except OSError:
        free = f"no folder {place}"
    why = (error.strerror or str(error)).lower()
    fix = "make room there, or start headway serve with TMPDIR on a larger disk"
    return RefusalError(
        507,
        "no_room",
        f"the package cannot be stored, and what is served stays as it is: {why}",
        [FieldProblem(None, "package", expected, free, fix)],
        next=fix,
    )


def too_busy(seconds: float) -> RefusalError:
    """Return the 429 for a full queue; `seconds` is when to come back."""
    return _later(429, "too_busy", "too many rows are waiting", seconds)


def over_rate(rate: str, seconds: float) -> RefusalError:
    """Return the 429 for a key that asks more often than it may."""
    return _later(429, "over_rate", f"this key may make {rate} requests", seconds)


def draining() -> RefusalError:
    """Return the 503 of a server that is about to stop; it closes the connection."""
    refusal = _later(503, "draining", "this server is stopping and takes no new requests", 1.0)
    return RefusalError(
        refusal.status, refusal.kind, refusal.message, headers={**refusal.headers, "connection": "close"}
    )


def too_late(seconds: float) -> RefusalError:
    """Return the 504 for a request whose time ran out before the model could look at it."""
    return RefusalError(
        504, "too_late", f"no answer within {seconds:g} seconds", next="ask again later, or for more time"
    )


def failed(error: Exception) -> RefusalError:
    """Return the 500 for a fault of this side; what it was stands in the log."""
    text = "the model could not answer" if isinstance(error, HeadwayError) else "something went wrong here"
    return RefusalError(500, "failed", text, next="the server's log says more")


def _later(status: int, kind: str, what: str, seconds: float) -> RefusalError:
    wait = max(1, round(seconds + 0.5))
    return RefusalError(
        status, kind, f"{what}; come back in {wait} s", headers={"retry-after": str(wait)}, next=f"wait {wait} s"
    )
