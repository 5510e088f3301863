"""What a run leans on beside its labelled rows: base models, unlabelled rows, a folder for what is costly."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from headway.bases.choosing import Demands
from headway.bases.finding import Found, find_bases
from headway.compute.caches import cache_folder
from headway.data.dataset import Dataset
from headway.models.family import Support, discover
from headway.pipeline.plain import plain_models, plain_recipe
from headway.project.schema import Project
from headway.training.entrants import Entries, list_entries

MOST_TEXTS = 2000
FEATURES = "features"


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
    return tuple(text for name in names for text in dataset.rows[name].gather_every(step).drop_nulls().to_list())


def enter(project: Project, dataset: Dataset, found: Found) -> Entries:
    """Return who takes part, given the base models at hand."""
    return list_entries(
        discover(),
        inputs=dataset.inputs,
        task=dataset.task,
        models=plain_models(project),
        recipe=plain_recipe(project.training),
        without=found.absent,
    )


def support_of(unlabelled: pl.DataFrame | None) -> Support:
    """Return what all candidates may lean on; each gets the base of its kind from the contest."""
    return Support(unlabelled=unlabelled, store=cache_folder(FEATURES))
