"""What a run leans on beside its labelled rows: base models, unlabelled rows, a folder for what is costly."""

from __future__ import annotations

import polars as pl

from headway.bases.finding import Found, find_bases
from headway.compute.caches import cache_folder
from headway.data.dataset import Dataset
from headway.models.family import Support, discover
from headway.pipeline.plain import plain_models, plain_recipe
from headway.project.schema import Project
from headway.training.entrants import Entries, list_entries

FEATURES = "features"


def gather_bases(project: Project, dataset: Dataset) -> Found:
    """Find the base models that the candidates need; none is opened where none takes part that needs one."""
    entrants = enter(project, dataset, Found()).entrants
    kinds = {entrant.card.base for entrant in entrants if entrant.card.base is not None}
    return find_bases(project.base, kinds, folder=project.folder)


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
