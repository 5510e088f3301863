"""What a run leans on beside its labelled rows: base models, unlabelled rows, a folder for what is costly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from headway.bases.base import Base, BaseKind
from headway.bases.choosing import Demands
from headway.bases.finding import Found, find_bases, reopen
from headway.compute.caches import cache_folder
from headway.data.dataset import Dataset
from headway.models.family import Support, discover
from headway.pipeline.attempt import Attempt
from headway.pipeline.events import Remark
from headway.pipeline.folder import RunFolder, write_json
from headway.pipeline.plain import plain_models, plain_recipe
from headway.project.schema import Project
from headway.training.entrants import Entries, list_entries
from headway.training.outcome import Tournament

FEATURES = "features"
BASES = "bases.json"
MOST_TEXTS = 2000


def settle_bases(attempt: Attempt, dataset: Dataset, *, ended: bool) -> Found:
    """Find the base models of a run and keep which they are, so that a resumed run leans on the same.

    Where the tournament has `ended` nothing is opened. Raises `BaseModelError` where a base that the project names
    cannot be used, and where one is not what it was when the run began.
    """
    kept = read_kept(attempt.folder)
    if kept is None:
        found = gather_bases(attempt.project, dataset, tell=lambda words: attempt.listen(Remark(words)))
        keep_bases(attempt.folder, found)
    else:
        names = {} if ended else {each["kind"]: (each["name"], each["digest"]) for each in kept["bases"]}
        found = reopen(names, kept["absent"], kept["remarks"], folder=attempt.project.folder)
    for remark in found.remarks:
        attempt.listen(Remark(remark))
    return found


def gather_bases(project: Project, dataset: Dataset, tell: Callable[[str], None] | None = None) -> Found:
    """Find the base models that the candidates need; none is opened where none takes part that needs one.

    `tell` hears of a download. Raises `BaseModelError` where a base that the project names cannot be used.
    """
    entrants = enter(project, dataset, Found()).entrants
    kinds = {entrant.card.base for entrant in entrants if entrant.card.base is not None}
    demands = Demands(
        rows=len(dataset),
        texts=sample_texts(dataset) if kinds else (),
        seconds=project.budget.time,
        memory_mb=project.budget.memory,
        size_mb=project.limits.size,
        latency_ms=project.limits.latency_p50 or project.limits.latency_p95,
    )
    return find_bases(project.base, kinds, demands, folder=project.folder, tell=tell)


def sample_texts(dataset: Dataset) -> tuple[str, ...]:
    """Return texts from all over the rows, of every column that holds texts."""
    step = max(1, len(dataset) // MOST_TEXTS)
    names = [column.name for column in dataset.inputs if column.modality == "text"]
    if not names:
        return words_of_table(dataset)
    return tuple(text for name in names for text in dataset.rows[name].gather_every(step).drop_nulls().to_list())


def words_of_table(dataset: Dataset) -> tuple[str, ...]:
    """Return the words there are in a table without texts: names of columns and of categories."""
    if any(column.modality == "image" for column in dataset.inputs):
        return ()
    kinds = [column.name for column in dataset.inputs if column.modality == "category"]
    cells = [text for name in kinds for text in dataset.rows[name].drop_nulls().unique().sort().head(50).to_list()]
    return (*(column.name for column in dataset.inputs), *cells)


def enter(project: Project, dataset: Dataset, found: Found) -> Entries:
    """Return who takes part, given the base models at hand."""
    return list_entries(
        discover(),
        inputs=dataset.inputs,
        task=dataset.task,
        models=plain_models(project),
        recipe=plain_recipe(project.training),
        without=found.absent,
        unlabelled=project.unlabelled is not None,
    )


def support_of(unlabelled: pl.DataFrame | None) -> Support:
    """Return what all candidates may lean on; each gets the base of its kind from the contest."""
    return Support(unlabelled=unlabelled, store=cache_folder(FEATURES))


def keep_bases(folder: RunFolder, found: Found) -> None:
    """Write which bases a run leans on."""
    bases = [describe_base(base) for base in found.bases.values()]
    write_json(folder.path / BASES, {"bases": bases, "absent": found.absent, "remarks": found.remarks})


def describe_base(base: Base) -> dict[str, Any]:
    """Return what is kept of a base."""
    names = ("kind", "name", "licence", "digest", "architecture", "parameters", "source")
    return {name: getattr(base, name) for name in names} | {"languages": list(base.languages)}


def read_kept(folder: RunFolder) -> Mapping[str, Any] | None:
    """Return what is kept of a run's bases, or None."""
    file = folder.path / BASES
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def kinds_of_bases(folder: RunFolder) -> frozenset[BaseKind]:
    """Return of which kinds the run has bases."""
    return frozenset(each["kind"] for each in (read_kept(folder) or {"bases": []})["bases"])


def base_of_winner(folder: RunFolder, tournament: Tournament) -> Mapping[str, str] | None:
    """Return the name, licence and digest of the base that the winner, or a member of it, was made from, or None."""
    winner = next(outcome for outcome in tournament.outcomes if outcome.status == "won")
    cards = discover().cards
    kinds = {cards[name].base for name in winner.members or (winner.name,) if name in cards}
    used = [each for each in (read_kept(folder) or {"bases": []})["bases"] if each["kind"] in kinds]
    if not used:
        return None
    return {key: ", ".join(str(each[key]) for each in used) for key in ("name", "licence", "digest")}
