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
from headway.data.dataset import ROW, Dataset, Finding, Split, Table
from headway.data.history import Told
from headway.data.pictures import clean_pictures
from headway.data.profiling import ColumnProfile, Profile, profile
from headway.data.several.cleaning import BLANKED, clean_several
from headway.data.splitting import split
from headway.data.unlabelled import Unlabelled, clean_unlabelled
from headway.pipeline.attempt import Attempt
from headway.pipeline.events import Remark
from headway.pipeline.folder import RunFolder, write_json
from headway.pipeline.sourcing import Sources, read_sources, splitting_of
from headway.pipeline.storage import load_dataset, load_split, save_dataset, save_split
from headway.project.schema import Project
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


def clean_sources(attempt: Attempt, sources: Sources) -> tuple[Dataset, Dataset | None, Facts]:
    """Clean, profile, and keep the result with everything that was set aside."""
    project, folder = attempt.project, attempt.folder.path
    cleaned = clean_tables(project, sources)
    write_parquet(folder / REJECTED, all_rejected(sources, cleaned))
    write_parquet(folder / CHANGES, all_changes(sources, cleaned))
    facts = collect_facts(sources, cleaned)
    unlabelled = clean_unlabelled_source(project, sources, cleaned)
    if unlabelled is not None:
        write_parquet(folder / UNLABELLED, unlabelled.rows)
        facts = replace(facts, unlabelled=tell_unlabelled(unlabelled, sources))
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


def tell_unlabelled(found: Unlabelled, sources: Sources) -> str:
    """Return what became of the unlabelled rows, in one line."""
    told = f"{found.rows.height:,} unlabelled rows, {found.left_out:,} left out: empty or a repetition"
    assert sources.unlabelled is not None
    unread = sources.unlabelled.rejected.select("file", "row").unique().height
    return f"{told}, {unread:,} that cannot be read" if unread else told


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


def all_rejected(sources: Sources, cleaned: Cleaned) -> pl.DataFrame:
    """Return the rejected lines and cells of both parts, then those of the unlabelled rows."""
    parts = [cleaned.rejected] if sources.unlabelled is None else [cleaned.rejected, sources.unlabelled.rejected]
    return pl.concat(parts, how="diagonal_relaxed")


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
