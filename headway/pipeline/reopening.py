"""A finished run, taken up again with all that its stages had found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.errors import RunError
from headway.package.measuring import Measured
from headway.pipeline.attempt import Attempt, Lang
from headway.pipeline.competing import Competed, hold_tournament
from headway.pipeline.events import Listener, ignore
from headway.pipeline.folder import RESULT, Stopwatch, follow_latest, open_run_folder, read_project
from headway.pipeline.labels import settle_labels
from headway.pipeline.preparing import Prepared, prepare
from headway.pipeline.scoring import Scored, score
from headway.pipeline.shrinking import settle_bits
from headway.pipeline.sourcing import draws_pictures


@dataclass(frozen=True)
class Reopened:
    """What the stages of a finished run handed on, and the content of its `result.json`."""

    attempt: Attempt
    prepared: Prepared
    competed: Competed
    scored: Scored
    result: Mapping[str, Any]

    @property
    def measured(self) -> Measured:
        """Return what was measured on the package of the run."""
        return Measured(**self.result["measured"])


def reopen(path: Path, *, lang: Lang, listen: Listener = ignore) -> Reopened:
    """Take up the run in `path`; `listen` hears nothing of what is only read again.

    Raises `RunError` for a folder that is no finished run.
    """
    folder = open_run_folder(follow_latest(path))
    if not folder.finished:
        raise RunError("this run is not finished", where=str(path), fix=f"headway run --resume {folder.path}")
    if draws_pictures(read_project(folder)):
        raise RunError("a run that draws has no candidates to take up again", where=str(path),
                       expected="a run that predicts or writes text")  # fmt: skip
    result = read_result(folder.path)
    quiet = Attempt(read_project(folder), folder, Stopwatch(result["seconds"]), lang, ignore)
    prepared = settle_labels(quiet, prepare(quiet))
    competed = settle_bits(quiet, hold_tournament(quiet, prepared))
    scored = score(quiet, prepared, competed)
    attempt = Attempt(quiet.project, folder, quiet.watch, lang, listen, quiet.remarks)
    return Reopened(attempt, prepared, competed, scored, result)


def read_result(folder: Path) -> dict[str, Any]:
    """Return the content of a finished run's `result.json`."""
    return dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
