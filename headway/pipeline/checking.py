"""Everything that can be said before training: the project, the data, and what each candidate would cost."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import psutil

from headway.bases.finding import check_name
from headway.data.dataset import Column
from headway.data.splitting import split
from headway.evaluation.metrics import default_metric
from headway.models.family import Estimate, discover
from headway.pipeline.competing import examples_of, task_of
from headway.pipeline.preparing import (
    all_rejected,
    clean_tables,
    clean_unlabelled_source,
    collect_facts,
    tell_unlabelled,
)
from headway.pipeline.scoring import check_decision, check_descriptions, check_names
from headway.pipeline.sourcing import read_sources, splitting_of
from headway.pipeline.support import enter, gather_bases, support_of
from headway.project.schema import Project
from headway.runtime.manifest import Target
from headway.training.admission import ELASTIC_SHARE, SHARE, WARM_SHARE, failure, seconds_wanted, too_many_rows
from headway.training.contest import Contest
from headway.training.entrants import Entrant


@dataclass(frozen=True)
class CandidateCost:
    """What a candidate would cost: seconds over all folds, peak memory in MB, and whether that fits the budget.

    `tokens_per_second`: see `Estimate`; None where it reads no text through an encoder.
    """

    name: str
    seconds: float | None
    memory_mb: float | None
    fits: bool
    note: str = ""
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class Refusal:
    """Why rows or cells are set aside, how many for this reason, and where the first one stands (rows from 1)."""

    reason: str
    count: int
    file: str
    row: int


@dataclass(frozen=True)
class Check:
    """What was found in the data, and a line per candidate, cheapest first; `targets`: several, with their tasks.

    `refusals`: what is set aside, the most frequent reason first.
    """

    task: Literal["classify", "regress", "generate", "several"]
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
    targets: tuple[Target, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def check(project: Project) -> Check:
    """Read, clean and split the data and probe every candidate, without training and without a run folder."""
    check_name(project.base, folder=project.folder)
    with tempfile.TemporaryDirectory() as cache:
        return check_in(project, Path(cache))


def check_in(project: Project, cache: Path) -> Check:
    """Check with archives unpacked in `cache`."""
    sources = read_sources(project, cache)
    if sources.are_pictures:
        from headway.pipeline.pictures.checking import check_pictures

        return check_pictures(project, sources)
    cleaned = clean_tables(project, sources)
    dataset = cleaned.train
    parts = split(dataset, splitting_of(project), seed=project.seed, given_test=cleaned.test is not None)
    task = task_of(dataset, project)
    check_decision(project, task)
    check_descriptions(project, task)
    check_names(task)
    metric = project.metric or default_metric(task, dataset.y[parts.train])
    told: list[str] = []
    found = gather_bases(project, dataset, tell=told.append)
    told += found.remarks
    unlabelled = clean_unlabelled_source(project, sources, cleaned)
    told += [] if unlabelled is None else [tell_unlabelled(unlabelled, sources)]
    support = support_of(None if unlabelled is None else unlabelled.rows)
    examples = replace(examples_of(dataset), support=support)
    contest = Contest(examples, parts.train, parts.folds, task, metric, seed=project.seed, bases=found.bases)
    facts = collect_facts(sources, cleaned)
    entries = enter(project, dataset, found)
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
        remarks=(*told, *entries.remarks),
        targets=dataset.targets,
        refusals=list_refusals(all_rejected(sources, cleaned)),
    )


def list_refusals(rejected: pl.DataFrame) -> tuple[Refusal, ...]:
    """Return why rows and cells are set aside, from a frame as `rejected.parquet` has it."""
    reasons = rejected.group_by("reason", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("file").first(), pl.col("row").first()
    )
    ranked = reasons.sort("count", descending=True, maintain_order=True)
    return tuple(Refusal(**line) for line in ranked.iter_rows(named=True))


def price(entrants: tuple[Entrant, ...], contest: Contest, project: Project) -> tuple[CandidateCost, ...]:
    """Probe every candidate; one that cannot be probed is listed with its reason."""
    costs = [price_one(entrant, contest, project) for entrant in entrants]
    return tuple(sorted(costs, key=lambda cost: float("inf") if cost.seconds is None else cost.seconds))


def price_one(entrant: Entrant, contest: Contest, project: Project) -> CandidateCost:
    """Return what one candidate would cost, its refit on all rows included."""
    name = entrant.card.name
    surplus = too_many_rows(contest, entrant)
    if surplus:
        return CandidateCost(name, None, None, fits=False, note=surplus)
    try:
        estimate = probe(entrant, contest, project.budget.time)
    except Exception as error:  # noqa: BLE001 - no candidate's crash ends the check
        return CandidateCost(name, None, None, fits=False, note=failure(entrant, error).reason)
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
    return CandidateCost(
        name,
        seconds,
        estimate.memory_mb,
        fits=not note.startswith("over"),
        note=note,
        tokens_per_second=estimate.tokens_per_second or None,
    )


def probe(entrant: Entrant, contest: Contest, time: float) -> Estimate:
    """Return what one fold of a candidate will cost, as the tournament finds it out.

    A first probe also pays for imports and cold caches: where its figure counts against a budget of `time` seconds, the
    lower one of two probes is taken.
    """
    family = discover().load_for(entrant.card.name, contest.task)
    train = contest.seen_by(entrant.card).examples.take(contest.folds[0].train)
    first = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    if first.seconds * len(contest.folds) < time * WARM_SHARE:
        return first
    second = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    return min(first, second, key=lambda estimate: estimate.seconds)
