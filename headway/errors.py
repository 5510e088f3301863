"""Every error a user can meet, one tree.

::

    HeadwayError
    ├── ProjectError        the project file: unknown keys, wrong types, impossible wishes (all at once)
    ├── DataError           the data: unreadable, empty, too many rejected rows, a target that cannot be learnt
    ├── BudgetError         time or memory that cannot hold even the smallest candidate
    ├── BaseModelError      a base model that cannot be found, fetched, opened or trusted
    ├── TrainingError       a candidate could not be trained (it is listed; the run goes on)
    ├── RunError            a run folder that cannot be found, read, resumed or compared
    ├── PackageError        a package that cannot be written, opened or trusted
    │   ├── ParityError     the exported graph and the trained model disagree
    │   └── GateError       a compressed package loses more than it may, or breaks a limit
    ├── ExportError         an export that cannot be written, or does not answer as its package
    ├── InputError          rows given to a package that do not fit its input schema
    ├── RefusalError        a request that the HTTP service answers with an error (headway.serving.refusals)
    ├── ServiceError        what a client of the service gets for it (headway.serving.wire)
    ├── StoreError          the store of predictions: cannot be opened, read or written
    ├── ExperimentError     an experiment that cannot be held, found or judged
    └── MissingExtraError   an optional dependency is not installed; names the pip command
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Self


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in the parts a reader needs to put it right."""

    what: str
    where: str = ""
    expected: str = ""
    got: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """Return the problem as one short paragraph: where, what, expected, got, next step."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        details = [
            f"  {label}: {text}"
            for label, text in (("expected", self.expected), ("got", self.got), ("next", self.fix))
            if text
        ]
        return "\n".join([head, *details])


class HeadwayError(Exception):
    """Something a user can put right; shown without a traceback."""

    def __init__(self, what: str, *, where: str = "", expected: str = "", got: str = "", fix: str = "") -> None:
        """Keep the parts of the message; see `Problem` for their meaning."""
        self.problems: tuple[Problem, ...] = (Problem(what, where, expected, got, fix),)
        super().__init__(str(self.problems[0]))

    def reworded(self, reword: Callable[[str], str]) -> Self:
        """Return the same error with `reword` applied to every part of its first problem."""
        parts = (reword(part) for part in astuple(self.problems[0]))
        return type(self)(**dict(zip(("what", "where", "expected", "got", "fix"), parts, strict=True)))


class ProjectError(HeadwayError):
    """The project file is wrong; carries every problem found, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep all problems in the order of the file."""
        Exception.__init__(self, "\n".join(str(problem) for problem in problems))
        self.problems = problems


class DataError(HeadwayError):
    """The data cannot be read or learnt from."""


class BudgetError(HeadwayError):
    """The budget cannot hold even the smallest candidate."""


class BaseModelError(HeadwayError):
    """A base model cannot be found, fetched, opened or trusted."""


class TrainingError(HeadwayError):
    """One candidate could not be trained."""


class RunError(HeadwayError):
    """A run folder cannot be found, read, resumed or compared."""


class PackageError(HeadwayError):
    """A package cannot be written, opened or trusted."""


class ParityError(PackageError):
    """The exported graph and the trained model disagree, so the package is not written."""


class GateError(PackageError):
    """A compressed package loses more than it may, or breaks a limit, so it is not written."""


class ExportError(HeadwayError):
    """A package cannot be taken elsewhere."""


class InputError(HeadwayError):
    """Rows given to a package do not fit its input schema."""


class StoreError(HeadwayError):
    """The store of predictions cannot be opened, read or written."""


class ExperimentError(HeadwayError):
    """An experiment cannot be held, found or judged."""


class MissingExtraError(HeadwayError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, *, purpose: str) -> None:
        """Name the pip command that installs `extra`, needed for `purpose`."""
        super().__init__(
            f"{purpose} needs an extra that is not installed",
            expected=f"the optional dependencies of headway[{extra}]",
            fix=f'pip install "headway[{extra}]"',
        )
