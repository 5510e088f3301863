"""A run that did not come to its end, taken up again: with the project it had, or with more time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headway.errors import BudgetError, RunError
from headway.pipeline.attempt import Attempt, Lang
from headway.pipeline.competing import CANDIDATES
from headway.pipeline.events import Listener
from headway.pipeline.folder import (
    PROJECT,
    REPORT,
    STATE,
    RunFolder,
    Stopwatch,
    open_run_folder,
    read_project,
    write_json,
)
from headway.pipeline.plain import plain_limits
from headway.project import change_time
from headway.project.schema import Project
from headway.project.units import write_seconds
from headway.training.storage import Store

# Set in the state of a run where nothing fitted its budget or met its limits.
UNFIT = "nothing_fits"


def go_on(path: Path, lang: Lang, listen: Listener, *, time: str | float | None = None) -> Attempt:
    """Open the folder of an unfinished run with the project as it was then, or with so much time in all.

    Candidates that had no time, or failed, get another turn where there is more of it, or where nothing fitted: what
    they lacked may be installed now.
    """
    folder = open_run_folder(path)
    if folder.finished:
        raise RunError(
            "this run is finished already",
            where=str(path),
            fix=f"look at {folder.path / REPORT}, or start a new one with `headway run`",
        )
    project = read_project(folder)
    if time is not None:
        project = with_more_time(project, time)
    if time is not None or folder.state().get(UNFIT):
        Store(folder.path / CANDIDATES).forget("skipped", "failed")
    if time is not None:
        keep_project(folder, project)
    return Attempt(project, folder, Stopwatch(folder.seconds_used), lang, listen)


def with_more_time(project: Project, time: str | float) -> Project:
    """Return the project with more time than it has; raises `RunError` where that would be less."""
    changed = change_time(project, time)
    if changed.budget.time <= project.budget.time:
        raise RunError(
            "a resumed run is given more time in all, not less",
            where="--budget",
            expected=f"more than the {write_seconds(project.budget.time)} it has",
            got=write_seconds(changed.budget.time),
            fix="leave it out to go on with the time that is left",
        )
    return changed


def keep_project(folder: RunFolder, project: Project) -> None:
    """Write the project that a run goes by into its folder."""
    write_json(folder.path / PROJECT, {**project.model_dump(mode="json"), "folder": str(project.folder.resolve())})


@contextmanager
def told_of_small_budget(attempt: Attempt) -> Iterator[None]:
    """Let a `BudgetError` say how this run goes on, and remember that nothing fitted."""
    try:
        yield
    except BudgetError as error:
        folder = attempt.folder
        with suppress(OSError):
            write_json(folder.path / STATE, {**folder.state(), UNFIT: True})
        problem = error.problems[0]
        raise BudgetError(
            problem.what,
            where=problem.where,
            expected=problem.expected,
            got=problem.got,
            fix=next_step(attempt, problem.fix),
        ) from error


def next_step(attempt: Attempt, advice: str) -> str:
    """Return what to do after a run in which nothing fitted; `advice` is what its tournament says."""
    if plain_limits(attempt.project.limits):
        return f"{advice}, and run the project anew: a resumed run keeps both"
    had = write_seconds(attempt.project.budget.time)
    again = f"headway run --resume {attempt.folder.path}"
    return f"{again} --budget TIME, with more than the {had} it had; or install what a candidate lacks, then: {again}"
