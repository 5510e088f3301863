"""The tournament as a stage of a run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.bases.finding import Found
from headway.data.corpus.reading import BESIDE
from headway.data.dataset import ROW, Dataset
from headway.evaluation.metrics import default_metric, positive_class
from headway.models.family import Examples, discover
from headway.pipeline.attempt import Attempt
from headway.pipeline.folder import SCRATCH
from headway.pipeline.plain import plain_limits
from headway.pipeline.preparing import Prepared
from headway.pipeline.support import enter, settle_bases, support_of
from headway.project.schema import Project
from headway.tasks import Classify, Generate, Part, Regress, Several, Task
from headway.training.contest import Contest
from headway.training.outcome import Tournament
from headway.training.storage import Store
from headway.training.tournament import compete

CANDIDATES = "candidates"
# What compression may take, left to itself (a share of the budget, at most so many seconds), and where it is asked for.
AUTO_SHARE, AUTO_MOST, COMPRESS_SHARE = 0.05, 15.0, 0.2
# What the other stages after the tournament need: a share of the budget, within bounds in seconds.
TAIL_SHARE, TAIL_LEAST, TAIL_MOST = 0.06, 1.5, 8.0
# A model that writes is judged token by token, and writes samples.
TAIL_SHARE_OF_WRITING, TAIL_MOST_OF_WRITING = 0.08, 30.0
# A pretrained one is also packed in few bits, and its base is judged as well.
TAIL_SHARE_OF_TEACHING, TAIL_MOST_OF_TEACHING = 0.3, 180.0


@dataclass(frozen=True)
class Competed:
    """The task and contest, and how the tournament ended."""

    task: Task
    contest: Contest
    tournament: Tournament


def hold_tournament(attempt: Attempt, prepared: Prepared) -> Competed:
    """Let the candidates compete within the budget; finished ones of an earlier attempt count as they are."""
    with attempt.stage("tournament") as note:
        store = Store(attempt.folder.path / CANDIDATES)
        found = settle_bases(attempt, prepared.dataset, ended=store.has_ended)
        contest = make_contest(attempt, prepared, found)
        if attempt.project.augment is not None:
            from headway.pipeline.pictures.augmenting import augment

            contest = augment(attempt, contest)
        tail = tail_of(attempt.project, contest)
        tournament = compete(
            enter(attempt.project, prepared.dataset, found),
            discover(),
            contest,
            clock=attempt.clock.earlier(tail),
            store=store,
            listen=lambda event: remember_and_tell(attempt, event),
        )
        shutil.rmtree(attempt.folder.path / SCRATCH, ignore_errors=True)
        winner = next(outcome for outcome in tournament.outcomes if outcome.status == "won")
        note.text = f"{tournament.winner} wins, {contest.metric} {winner.metrics[contest.metric]:.4f} in validation"
    return Competed(contest.task, contest, tournament)


def tail_of(project: Project, contest: Contest) -> float:
    """Return the seconds of the budget that are kept for the stages after the tournament."""
    seconds = project.budget.time
    if contest.task.kind == "generate" and contest.bases:
        return min(TAIL_SHARE_OF_TEACHING * seconds, TAIL_MOST_OF_TEACHING)
    if contest.task.kind == "generate":
        return min(max(TAIL_SHARE_OF_WRITING * seconds, TAIL_LEAST), TAIL_MOST_OF_WRITING)
    tail = min(max(TAIL_SHARE * seconds, TAIL_LEAST), TAIL_MOST)
    # What was made without a base is small, and nothing that is small is compressed unasked.
    is_idle = contest.task.kind == "several" or (project.compress == "auto" and not contest.bases)
    return tail if is_idle else tail + compression_seconds(project)


def compression_seconds(project: Project) -> float:
    """Return the seconds of the budget that are left to compression."""
    wish = project.compress
    if isinstance(wish, str):
        return min(AUTO_SHARE * project.budget.time, AUTO_MOST) if wish == "auto" else 0.0
    return COMPRESS_SHARE * project.budget.time if wish.time is None else wish.time


def remember_and_tell(attempt: Attempt, event: object) -> None:
    """Pass an event on, and keep the time used so far."""
    attempt.listen(event)  # type: ignore[arg-type]  # a training event is an event of the run
    attempt.note_seconds()


def make_contest(attempt: Attempt, prepared: Prepared, found: Found) -> Contest:
    """Return what all candidates share."""
    project, dataset = attempt.project, prepared.dataset
    task = task_of(dataset, project)
    scratch = attempt.folder.path / SCRATCH
    return Contest(
        replace(examples_of(dataset), support=replace(support_of(prepared.unlabelled), scratch=scratch)),
        prepared.split.train,
        prepared.split.folds,
        task,
        project.metric or default_metric(task, dataset.y[prepared.split.train]),
        limits=plain_limits(project.limits),
        memory_mb=project.budget.memory,
        seed=project.seed,
        bases=found.bases,
        test_rows=len(prepared.split.test) if prepared.test is None else len(prepared.test),
    )


def task_of(dataset: Dataset, project: Project) -> Task:
    """Return the task of a data set, with what the project says of its labels."""
    if dataset.targets:
        return Several(tuple(part_of(dataset, place) for place in range(len(dataset.targets))))
    if dataset.task == "regress":
        return Regress()
    if dataset.form is not None:
        return Generate(dataset.form)
    return Classify(dataset.labels, descriptions=project.descriptions)


def part_of(dataset: Dataset, place: int) -> Part:
    """Return one of several targets with what it counts by: what would choose its model if it were the only one.

    Numbers count by r2, which unlike their errors has no unit.
    """
    target = dataset.targets[place]
    if target.task == "regress":
        return Part(target.name, Regress(), "r2")
    task = Classify(target.labels)
    y = dataset.y[~np.isnan(dataset.y[:, place]), place].astype(np.int64)
    return Part(target.name, task, default_metric(task, y), positive_class(y, task))


def examples_of(dataset: Dataset) -> Examples:
    """Return a data set's rows as the candidates see them: the input columns, and of texts what stands beside them."""
    beside = [name for name in BESIDE if dataset.form is not None and name in dataset.rows.columns]
    rows = dataset.rows.select([*(column.name for column in dataset.inputs), *beside])
    return Examples(rows, dataset.inputs, dataset.y, dataset.weight)


def held_out(prepared: Prepared) -> tuple[Examples, pl.Series]:
    """Return the test part and its row numbers."""
    dataset = prepared.dataset if prepared.test is None else prepared.test
    positions = prepared.split.test if prepared.test is None else np.arange(len(dataset))
    return examples_of(dataset).take(positions), dataset.rows[ROW].gather(positions)
