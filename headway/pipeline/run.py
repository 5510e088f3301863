"""One run, from raw data to a package and a report, stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from headway.bases.finding import check_name
from headway.errors import RunError
from headway.pipeline.attempt import Attempt, Lang
from headway.pipeline.competing import hold_tournament, task_of
from headway.pipeline.compressing import compress_winner
from headway.pipeline.events import Listener, RunStarted, ignore
from headway.pipeline.folder import REPORT, Stopwatch, create_run_folder, move_latest, open_run_folder
from headway.pipeline.holding import held_alone
from headway.pipeline.labels import settle_labels
from headway.pipeline.packaging import package_winner
from headway.pipeline.preparing import prepare
from headway.pipeline.reporting import report_run
from headway.pipeline.result import RunResult
from headway.pipeline.resuming import go_on, keep_project, told_of_small_budget
from headway.pipeline.room import told_of_full_disk
from headway.pipeline.scoring import check_decision, check_descriptions, check_names, score
from headway.pipeline.shrinking import settle_bits
from headway.pipeline.sourcing import draws_pictures
from headway.project.schema import Project

RUNS = Path("runs")


def run(
    project: Project | None = None,
    *,
    out: Path | None = None,
    resume: Path | None = None,
    time: str | float | None = None,
    lang: Lang = "en",
    listen: Listener = ignore,
) -> RunResult:
    """Run a project, or go on with the unfinished run in `resume`, with more `time` in all than it had where given.

    Writes `out/<name>/<time>/` (`out` is `runs` by default) and moves `latest` there. Raises `HeadwayError` where the
    data, the budget, the limits, a full disk or another process in that folder allow no answer; what is finished by
    then stays in the folder.
    """
    if project is not None and resume is None:
        check_name(project.base, folder=project.folder)
    if resume is None:
        begun = begin(project, out or RUNS, lang, listen)
        return work_in(begun.folder.path, lambda: begun, listen)
    path = open_run_folder(resume).path
    return work_in(path, lambda: go_on(path, lang, listen, time=time), listen)


def work_in(path: Path, take_up: Callable[[], Attempt], listen: Listener) -> RunResult:
    """Go through all stages in a run folder, alone; nothing is taken up before it is held."""
    with held_alone(path), told_of_full_disk(path):
        attempt = take_up()
        listen(RunStarted(path))
        with told_of_small_budget(attempt):
            return go_through(attempt)


def go_through(attempt: Attempt) -> RunResult:
    """Go through all stages; what an earlier, killed attempt has finished is taken as it is."""
    if draws_pictures(attempt.project):
        from headway.pipeline.pictures.running import run_pictures

        drawn = run_pictures(attempt)
        move_latest(attempt.folder)
        return drawn
    prepared = prepare(attempt)
    task = task_of(prepared.dataset, attempt.project)
    check_decision(attempt.project, task)
    check_descriptions(attempt.project, task)
    check_names(task)
    if attempt.project.augment is not None:
        from headway.pipeline.pictures.augmenting import check_augment

        check_augment(attempt, prepared)
    prepared = settle_labels(attempt, prepared)
    competed = settle_bits(attempt, hold_tournament(attempt, prepared))
    scored = score(attempt, prepared, competed)
    package = package_winner(attempt, prepared, competed, scored)
    smaller = compress_winner(attempt, prepared, competed, scored, package)
    result = report_run(attempt, competed, scored, package, smaller)
    move_latest(attempt.folder)
    ships = package.folder if smaller is None or smaller.folder is None else smaller.folder
    return RunResult(attempt.folder.path, ships, attempt.folder.path / REPORT, result)


def begin(project: Project | None, out: Path, lang: Lang, listen: Listener) -> Attempt:
    """Make the folder of a new run and keep the project in it."""
    if project is None:
        raise RunError(
            "nothing to run", expected="a project, or a run folder to resume", fix="headway run headway.yaml"
        )
    folder = create_run_folder(project.name, out)
    with told_of_full_disk(folder.path):
        keep_project(folder, project)
    return Attempt(project, folder, Stopwatch(0.0), lang, listen)
