"""From a project to its tables as they are read, and what their columns seem to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from headway.data.corpus.reading import Corpus, read_corpus
from headway.data.dataset import Table
from headway.data.history import Told, cut_by_dates, tell_history
from headway.data.inference import Inference, infer, infer_several
from headway.data.pictures import holds_pictures, infer_pictures, read_pictures
from headway.data.reading import read
from headway.project.schema import Project, Reading, Splitting


class Means(TypedDict):
    """What every reader is told beside the source: where paths start, how to read, and what it may cost."""

    folder: Path
    reading: Reading
    cache: Path
    max_rejected: float
    memory: float


@dataclass(frozen=True)
class Sources:
    """The tables as read, and what their columns seem to be.

    `corpora`: both parts of a project that writes text; `are_pictures`: of one that draws; `told`: what the tables tell
    of each row's past.
    """

    table: Table
    test: Table | None
    inference: Inference
    unlabelled: Table | None = None
    corpora: tuple[Corpus, Corpus | None] | None = None
    told: Told | None = None
    are_pictures: bool = False


def read_sources(project: Project, cache: Path) -> Sources:
    """Read the data, a given test part and unlabelled rows, and find out what the columns are."""
    if draws_pictures(project):
        return read_albums(project, cache)
    if project.task == "generate":
        return read_corpora(project, cache)
    means = means_of(project, cache)
    table = read(project.data, **means)
    test = None if project.test is None else read(project.test, **means)
    unlabelled = None if project.unlabelled is None else read(project.unlabelled, **means)
    told = None
    if project.history is not None:
        assert project.target is not None  # a history goes with one target
        told = tell_history(
            table,
            test,
            project.history,
            target=project.target,
            task=project.task,
            splitting=project.split,
        )
        table, test = told.table, told.test
    elif project.split.is_dated:
        table, test = cut_by_dates(table, test, project.split)
    return Sources(table, test, infer_columns(project, table, told), unlabelled, told=told)


def means_of(project: Project, cache: Path) -> Means:
    """Return how the sources of a project are read; archives are unpacked into `cache`."""
    return {
        "folder": project.folder,
        "reading": project.reading,
        "cache": cache,
        "max_rejected": project.cleaning.max_rejected,
        "memory": project.budget.memory / 2,
    }


def splitting_of(project: Project) -> Splitting:
    """Return how rows are divided: what has a history is divided by time unless the project says otherwise."""
    given, history = project.split, project.history
    if history is None or given.folds is not None or (given.group is not None and given.time is None):
        return given
    gap = history.delay if given.gap is None else given.gap
    return given.model_copy(update={"time": given.time or history.time, "gap": gap})


def draws_pictures(project: Project) -> bool:
    """Tell whether a project learns to draw: it generates from a column of pictures, or from nothing but pictures."""
    if project.task != "generate":
        return False
    if project.inputs:
        return "image" in project.inputs.values()
    return holds_pictures(project.data, project.folder)


def read_albums(project: Project, cache: Path) -> Sources:
    """Read the pictures of a project that draws, and a given test part of them."""
    means, inputs, target = means_of(project, cache), project.inputs, project.target
    table = read_pictures(project.data, inputs=inputs, target=target, **means)
    test = None if project.test is None else read_pictures(project.test, inputs=inputs, target=target, **means)
    return Sources(table, test, infer_pictures(table), are_pictures=True)


def read_corpora(project: Project, cache: Path) -> Sources:
    """Read the text of a project that writes, and a given test part of it."""
    means, inputs, target = means_of(project, cache), project.inputs, project.target
    corpus = read_corpus(project.data, inputs=inputs, target=target, **means)
    test = None if project.test is None else read_corpus(project.test, inputs=inputs, target=target, **means)
    return Sources(corpus.table, None if test is None else test.table, corpus.inference, corpora=(corpus, test))


def infer_columns(project: Project, table: Table, told: Told | None = None) -> Inference:
    """Return what the columns are.

    The column that groups rows is no input unless the project says so, nor are the time and the keys of a history: what
    they mean is told in columns of its own, and later rows have other times and keys.
    """
    left_out = [name for name in (project.split.group,) if name is not None]
    inputs = project.inputs
    if project.history is not None and told is not None:
        left_out += [project.history.time, *project.history.keys]
        inputs = None if inputs is None else {**inputs, **dict.fromkeys(told.names, "number")}
    if project.targets is not None:
        ignore = project.ignore if inputs is not None else (*project.ignore, *left_out)
        return infer_several(table, project.targets, inputs=inputs, ignore=ignore)
    assert project.target is not None
    assert project.task != "generate"
    ignore = project.ignore if inputs is not None else (*project.ignore, *left_out)
    found = infer(table, project.target, inputs=inputs, ignore=ignore, task=project.task)
    return found if told is None else replace(found, findings=(*told.findings, *found.findings))
