"""What can be said of a project that draws before any training."""

from __future__ import annotations

from headway.data.splitting import split
from headway.errors import HeadwayError
from headway.evaluation.pictures.judged import DISTANCE
from headway.models.family import Examples, discover
from headway.pipeline.checking import CandidateCost, Check, list_refusals
from headway.pipeline.competing import examples_of
from headway.pipeline.pictures.painting import GAN, frame_of, recipe_of
from headway.pipeline.preparing import clean_tables, collect_facts
from headway.pipeline.sourcing import Sources
from headway.project.schema import Project
from headway.tasks import Generate


def check_pictures(project: Project, sources: Sources) -> Check:
    """Clean and split the pictures, and estimate what a first good generator takes.

    Raises `DataError` for pictures that cannot be learnt from.
    """
    cleaned = clean_tables(project, sources)
    dataset = cleaned.train
    parts = split(dataset, project.split, seed=project.seed, given_test=cleaned.test is not None)
    learnt = examples_of(dataset).take(parts.folds[0].train)
    frame_of(learnt)
    facts = collect_facts(sources, cleaned)
    return Check(
        task="generate",
        metric=DISTANCE,
        inputs=dataset.inputs,
        read=facts.read,
        rejected=facts.rejected,
        train=len(parts.train),
        test=len(parts.test) if cleaned.test is None else len(cleaned.test),
        folds=1,
        findings=tuple(vars(finding) for finding in facts.profile.findings),
        costs=(price_painter(project, learnt),),
        refusals=list_refusals(cleaned.rejected),
    )


def price_painter(project: Project, learnt: Examples) -> CandidateCost:
    """Return what the generator would cost; it uses what time there is."""
    card = discover().cards[GAN]
    if card.missing() is not None:
        note = f'needs {card.missing()}: pip install "headway[{card.extra}]"'
        return CandidateCost(GAN, None, None, fits=False, note=note)
    from headway.models.gan.fitting import estimate

    try:
        found = estimate(learnt, Generate(), recipe_of(project), seed=project.seed)
    except HeadwayError as error:
        return CandidateCost(GAN, None, None, fits=False, note=str(error))
    late = found.seconds > project.budget.time
    fits = found.memory_mb <= project.budget.memory
    note = "will train shorter than it would like" if late else ""
    over = f"over the memory of {project.budget.memory:g} MB"
    return CandidateCost(GAN, found.seconds, found.memory_mb, fits=fits, note=note if fits else over)
