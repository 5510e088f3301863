"""Everything that can be said before training: the project, the data, and what each candidate would cost."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from headway.data.dataset import Column
from headway.data.splitting import split
from headway.errors import HeadwayError
from headway.evaluation.metrics import default_metric
from headway.models.family import discover
from headway.pipeline.competing import enter, examples_of, task_of
from headway.pipeline.preparing import clean_tables, collect_facts, read_sources
from headway.pipeline.scoring import check_decision
from headway.project.schema import Project
from headway.training.admission import ELASTIC_SHARE, SHARE, seconds_wanted
from headway.training.contest import Contest
from headway.training.entrants import Entrant


@dataclass(frozen=True)
class CandidateCost:
    """What a candidate would cost: seconds over all folds, peak memory in MB, and whether that fits the budget."""

    name: str
    seconds: float | None
    memory_mb: float | None
    fits: bool
    note: str = ""


@dataclass(frozen=True)
class Check:
    """What was found in the data, and a line per candidate, cheapest first."""

    task: Literal["classify", "regress"]
    metric: str
    inputs: tuple[Column, ...]
    read: int
    rejected: int
    train: int
    test: int
    folds: int
    findings: tuple[Mapping[str, Any], ...]
    costs: tuple[CandidateCost, ...]
    remarks: tuple[str, ...] = ()


def check(project: Project) -> Check:
    """Read, clean and split the data and probe every candidate, without training and without a run folder."""
    with tempfile.TemporaryDirectory() as cache:
        return check_in(project, Path(cache))


def check_in(project: Project, cache: Path) -> Check:
    """Check with archives unpacked in `cache`."""
    sources = read_sources(project, cache)
    cleaned = clean_tables(project, sources)
    dataset = cleaned.train
    parts = split(dataset, project.split, seed=project.seed, given_test=cleaned.test is not None)
    task = task_of(dataset)
    check_decision(project, task)
    metric = project.metric or default_metric(task, dataset.y[parts.train])
    contest = Contest(examples_of(dataset), parts.train, parts.folds, task, metric, seed=project.seed)
    facts = collect_facts(sources, cleaned)
    entries = enter(project, dataset)
    turned_away = tuple(
        CandidateCost(outcome.name, None, None, fits=False, note=outcome.reason) for outcome in entries.turned_away
    )
    return Check(
        task=dataset.task,
        metric=metric,
        inputs=dataset.inputs,
        read=facts.read,
        rejected=facts.rejected,
        train=len(parts.train),
        test=len(parts.test) if cleaned.test is None else len(cleaned.test),
        folds=len(parts.folds),
        findings=tuple(vars(finding) for finding in facts.profile.findings),
        costs=(*price(entries.entrants, contest, project), *turned_away),
        remarks=entries.remarks,
    )


def price(entrants: tuple[Entrant, ...], contest: Contest, project: Project) -> tuple[CandidateCost, ...]:
    """Probe every candidate; one that cannot be probed is listed with its reason."""
    costs = [price_one(entrant, contest, project) for entrant in entrants]
    return tuple(sorted(costs, key=lambda cost: float("inf") if cost.seconds is None else cost.seconds))


def price_one(entrant: Entrant, contest: Contest, project: Project) -> CandidateCost:
    """Return what one candidate would cost, its refit on all rows included."""
    name = entrant.card.name
    train = contest.examples.take(contest.folds[0].train)
    try:
        family = discover().load(name)
        estimate = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    except HeadwayError as error:
        return CandidateCost(name, None, None, fits=False, note=str(error))
    seconds = seconds_wanted(entrant, estimate, contest) + estimate.seconds * contest.refit_ratio
    memory_free = project.budget.memory - psutil.Process().memory_info().rss / 1e6
    share = ELASTIC_SHARE if entrant.card.elastic else SHARE
    note = ""
    if seconds * share > project.budget.time:
        note = f"over the time of {project.budget.time:g} s"
    elif estimate.memory_mb > memory_free:
        note = f"over the memory of {project.budget.memory:g} MB"
    elif seconds > project.budget.time:
        note = "will train shorter than it would like"
    return CandidateCost(name, seconds, estimate.memory_mb, fits=not note.startswith("over"), note=note)
