"""From the sources to clean, divided rows: the stages read, clean and split."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from headway.compute.drafts import whole_file
from headway.data.cleaning import Cleaned, clean
from headway.data.corpus.cleaning import clean_corpus
from headway.data.corpus.overlap import drop_contamination
from headway.data.corpus.reading import Corpus, read_corpus
from headway.data.dataset import ROW, Dataset, Finding, Split, Table
from headway.data.history import Told, cut_by_dates, tell_history
from headway.data.inference import Inference, infer, infer_several
from headway.data.pictures import clean_pictures, holds_pictures, infer_pictures, read_pictures
from headway.data.profiling import ColumnProfile, Profile, profile
from headway.data.reading import read
from headway.data.several.cleaning import BLANKED, clean_several
from headway.data.splitting import split
from headway.data.unlabelled import Unlabelled, clean_unlabelled
from headway.pipeline.attempt import Attempt
from headway.pipeline.events import Remark
from headway.pipeline.folder import RunFolder, write_json
from headway.pipeline.storage import load_dataset, load_split, save_dataset, save_split
from headway.project.schema import Project, Splitting
from headway.runtime.history.storing import FILE as HISTORY
from headway.runtime.history.storing import write_past
from headway.runtime.manifest_json import history_to_json

TRAIN, TEST, FACTS, SPLIT = "dataset", "test_dataset", "facts.json", "split.npz"
# Steps of cleaning that leave the row where it is.
KEPT_STEPS = ("near_duplicate_grouped", BLANKED)
HISTORY_FACTS = "history.json"
REJECTED, CHANGES, UNLABELLED = "rejected.parquet", "changes.parquet", "unlabelled.parquet"


@dataclass(frozen=True)
class Facts:
    """What was read and noticed. `read`: records the sources had, `rejected`: those set aside, in both parts.

    `unlabelled`: one line about the rows without a target, empty where there are none.
    """

    read: int
    rejected: int
    profile: Profile
    unlabelled: str = ""


@dataclass(frozen=True)
class Prepared:
    """Clean rows, a given test part or None, how they are divided, what was noticed, and rows without a target."""

    dataset: Dataset
    test: Dataset | None
    split: Split
    facts: Facts
    unlabelled: pl.DataFrame | None = None


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


def prepare(attempt: Attempt) -> Prepared:
    """Read, clean and split, or take what an earlier attempt at this run has finished of it."""
    kept = load_prepared(attempt.folder)
    sources = None
    with attempt.stage("read") as note:
        if kept is None:
            sources = read_sources(attempt.project, attempt.folder.path / "unpacked")
            note.text = f"{sources.table.read:,} rows, {len(sources.inference.inputs)} inputs"
        note.resumed = kept is not None
    with attempt.stage("clean") as note:
        if sources is not None:
            kept = clean_sources(attempt, sources)
        assert kept is not None
        dataset, test, facts = kept
        note.resumed = sources is None
        note.text = f"{len(dataset):,} rows, {facts.rejected:,} rejected, {gone_rows(dataset):,} dropped or set aside"
    warn(attempt, facts)
    with attempt.stage("split") as note:
        parts = load_split(attempt.folder.path / SPLIT)
        note.resumed = parts is not None
        if parts is None:
            parts = split(
                dataset, splitting_of(attempt.project), seed=attempt.project.seed, given_test=test is not None
            )
            if dataset.task == "generate" and test is None:
                dataset, parts, facts = without_contamination(attempt, dataset, parts, facts)
            save_split(attempt.folder.path / SPLIT, parts)
        held = len(parts.test) if test is None else len(test)
        folds = f"{len(parts.folds)} folds" if len(parts.folds) > 1 else f"{len(parts.folds[0].valid):,} to validate"
        note.text = f"{len(parts.train):,} to train ({folds}), {held:,} to test"
    return Prepared(dataset, test, parts, facts, load_unlabelled(attempt.folder))


def warn(attempt: Attempt, facts: Facts) -> None:
    """Say what is wrong with the data before the training; the report shows these findings by itself."""
    for finding in facts.profile.findings:
        if finding.severity == "warning":
            attempt.listener(Remark(finding.message))
    if facts.unlabelled:
        attempt.listen(Remark(facts.unlabelled))


def read_sources(project: Project, cache: Path) -> Sources:
    """Read the data, a given test part and unlabelled rows, and find out what the columns are."""
    if draws_pictures(project):
        return read_albums(project, cache)
    if project.task == "generate":
        return read_corpora(project, cache)

    def read_one(source: str) -> Table:
        return read(
            source,
            folder=project.folder,
            reading=project.reading,
            cache=cache,
            max_rejected=project.cleaning.max_rejected,
            memory=project.budget.memory / 2,
        )

    table = read_one(project.data)
    test = None if project.test is None else read_one(project.test)
    unlabelled = None if project.unlabelled is None else read_one(project.unlabelled)
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

    def read_one(source: str) -> Table:
        return read_pictures(
            source,
            folder=project.folder,
            reading=project.reading,
            cache=cache,
            max_rejected=project.cleaning.max_rejected,
            memory=project.budget.memory / 2,
            inputs=project.inputs,
            target=project.target,
        )

    table = read_one(project.data)
    test = None if project.test is None else read_one(project.test)
    return Sources(table, test, infer_pictures(table), are_pictures=True)


def read_corpora(project: Project, cache: Path) -> Sources:
    """Read the text of a project that writes, and a given test part of it."""

    def read_one(source: str) -> Corpus:
        return read_corpus(
            source,
            folder=project.folder,
            reading=project.reading,
            cache=cache,
            max_rejected=project.cleaning.max_rejected,
            memory=project.budget.memory / 2,
            target=project.target,
            inputs=project.inputs,
        )

    corpus = read_one(project.data)
    test = None if project.test is None else read_one(project.test)
    return Sources(corpus.table, None if test is None else test.table, corpus.inference, corpora=(corpus, test))


def without_contamination(
    attempt: Attempt, dataset: Dataset, parts: Split, facts: Facts
) -> tuple[Dataset, Split, Facts]:
    """Take training texts out that share long passages with the test part, and keep that they were."""
    kept, left, found = drop_contamination(dataset, parts, dataset.rows[dataset.target].gather(parts.test))
    if not found:
        return dataset, parts, facts
    folder = attempt.folder.path
    others = tuple(each for each in facts.profile.findings if each.code != found[0].code)
    facts = replace(facts, profile=replace(facts.profile, findings=(*others, *found)))
    gone = kept.changes.filter(pl.col("step") == "contamination").with_columns(part=pl.lit("train"))
    listed = pl.read_parquet(folder / CHANGES).filter(pl.col("step") != "contamination")
    told = gone.join(dataset.rows, on=ROW, how="left", maintain_order="left")
    write_parquet(folder / CHANGES, pl.concat([listed, told], how="diagonal_relaxed"))
    write_facts(folder, facts)
    save_dataset(folder / TRAIN, kept)
    warn(attempt, replace(facts, profile=replace(facts.profile, findings=found), unlabelled=""))
    return kept, left, facts


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


def clean_sources(attempt: Attempt, sources: Sources) -> tuple[Dataset, Dataset | None, Facts]:
    """Clean, profile, and keep the result with everything that was set aside."""
    project, folder = attempt.project, attempt.folder.path
    cleaned = clean_tables(project, sources)
    write_parquet(folder / REJECTED, cleaned.rejected)
    write_parquet(folder / CHANGES, all_changes(sources, cleaned))
    facts = collect_facts(sources, cleaned)
    unlabelled = clean_unlabelled_source(project, sources, cleaned)
    if unlabelled is not None:
        write_parquet(folder / UNLABELLED, unlabelled.rows)
        facts = replace(facts, unlabelled=tell_unlabelled(unlabelled))
    write_facts(folder, facts)
    if sources.told is not None:
        keep_history(folder, sources.told)
    if cleaned.test is not None:
        save_dataset(folder / TEST, cleaned.test)
    save_dataset(folder / TRAIN, cleaned.train)
    return cleaned.train, cleaned.test, facts


def keep_history(folder: Path, told: Told) -> None:
    """Keep what a package remembers of the past."""
    facts, content = write_past(told.history, told.past)
    with whole_file(folder / HISTORY) as draft:
        draft.write_bytes(content)
    with whole_file(folder / HISTORY_FACTS) as draft:
        draft.write_text(history_to_json(facts), encoding="utf-8")


def write_facts(folder: Path, facts: Facts) -> None:
    """Keep what was read and noticed."""
    plain = {"read": facts.read, "rejected": facts.rejected, "unlabelled": facts.unlabelled}
    write_json(folder / FACTS, {**plain, "profile": facts.profile.as_json()})


def clean_tables(project: Project, sources: Sources) -> Cleaned:
    """Clean both parts as the project says."""
    if sources.are_pictures:
        return clean_pictures(sources.table, project.cleaning, test=sources.test)
    if sources.corpora is not None:
        return clean_corpus(sources.corpora[0], project.cleaning, test=sources.corpora[1])
    found = sources.inference
    if found.task == "several":
        return clean_several(
            sources.table,
            targets=found.targets,
            inputs=found.inputs,
            cleaning=project.cleaning,
            test=sources.test,
            group=project.split.group,
            time=project.split.time,
        )
    assert project.target is not None
    assert found.task != "generate"
    return clean(
        sources.table,
        target=project.target,
        inputs=found.inputs,
        task=found.task,
        cleaning=project.cleaning,
        test=sources.test,
        group=project.split.group,
        time=splitting_of(project).time,
    )


def clean_unlabelled_source(project: Project, sources: Sources, cleaned: Cleaned) -> Unlabelled | None:
    """Return the unlabelled rows that repeat no labelled one, or None where the project names none."""
    if sources.unlabelled is None:
        return None
    labelled = [part.rows for part in (cleaned.train, cleaned.test) if part is not None]
    return clean_unlabelled(sources.unlabelled, cleaned.train.inputs, labelled, where=str(project.unlabelled))


def tell_unlabelled(found: Unlabelled) -> str:
    """Return what became of the unlabelled rows, in one line."""
    return f"{found.rows.height:,} unlabelled rows, {found.left_out:,} left out: empty or a repetition"


def load_unlabelled(folder: RunFolder) -> pl.DataFrame | None:
    """Return the unlabelled rows that an attempt has cleaned, or None."""
    path = folder.path / UNLABELLED
    return pl.read_parquet(path) if path.exists() else None


def collect_facts(sources: Sources, cleaned: Cleaned) -> Facts:
    """Return what was read and noticed as plain data."""
    seen = profile(sources.table, target=cleaned.train.target, inference=sources.inference, cleaned=cleaned)
    return Facts(
        read=sources.table.read + (0 if sources.test is None else sources.test.read),
        rejected=cleaned.rejected.select("file", "row").unique().height,
        profile=seen,
    )


def load_prepared(folder: RunFolder) -> tuple[Dataset, Dataset | None, Facts] | None:
    """Return what an earlier attempt has cleaned, or None; the training part is written last, for all of it."""
    dataset = load_dataset(folder.path / TRAIN)
    if dataset is None:
        return None
    plain = json.loads((folder.path / FACTS).read_text(encoding="utf-8"))
    facts = Facts(plain["read"], plain["rejected"], read_profile(plain["profile"]), plain.get("unlabelled", ""))
    return dataset, load_dataset(folder.path / TEST), facts


def read_profile(plain: Mapping[str, Any]) -> Profile:
    """Return the profile that `Profile.as_json` made plain."""
    parts = {
        "target": ColumnProfile(**plain["target"]),
        "targets": tuple(ColumnProfile(**column) for column in plain.get("targets", ())),
        "columns": tuple(ColumnProfile(**column) for column in plain["columns"]),
        "findings": tuple(Finding(**finding) for finding in plain["findings"]),
    }
    return Profile(**{**plain, **parts})


def all_changes(sources: Sources, cleaned: Cleaned) -> pl.DataFrame:
    """Return the changes of both parts, with the part they belong to and the cells of the rows themselves."""
    parts = [with_cells(cleaned.train.changes, sources.table, "train")]
    if cleaned.test is not None and sources.test is not None:
        parts.append(with_cells(cleaned.test.changes, sources.test, "test"))
    return pl.concat(parts, how="diagonal_relaxed")


def with_cells(changes: pl.DataFrame, table: Table, part: str) -> pl.DataFrame:
    """Return the changes beside the rows they are about."""
    return changes.with_columns(part=pl.lit(part)).join(table.rows, on=ROW, how="left", maintain_order="left")


def gone_rows(dataset: Dataset) -> int:
    """Return how many rows cleaning took out."""
    return dataset.changes.filter(~pl.col("step").is_in(KEPT_STEPS)).height


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a table, all or nothing."""
    with whole_file(path) as draft:
        frame.write_parquet(draft)
