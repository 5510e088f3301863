"""Labels that look wrong, found by the winner's answers to rows it had not learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headway.bases.finding import Found
from headway.data.dataset import ROW, Dataset, Fold, Split
from headway.data.label_errors import apply_label_errors, find_label_errors
from headway.errors import MissingExtraError
from headway.models.family import discover
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed, examples_of, task_of
from headway.pipeline.events import Remark
from headway.pipeline.preparing import CHANGES, Prepared, write_parquet
from headway.pipeline.storage import load_dataset, load_split, save_dataset, save_split
from headway.pipeline.support import enter
from headway.report.content import LabelError
from headway.report.filling import fill_label_errors
from headway.tasks.recipe import Recipe
from headway.training.entrants import BASELINES

LABEL_ERRORS = "label_errors.parquet"
MOST_SHOWN = 20
JUDGE_FOLDS = 4
WORDS = {True: "left out", False: "given a quarter of their weight"}
JUDGED, JUDGED_SPLIT = "judged_dataset", "judged_split.npz"


def find_doubtful_labels(attempt: Attempt, prepared: Prepared, competed: Competed) -> tuple[LabelError, ...]:
    """Write the rows of the validation part whose label looks wrong, and return the surest ones for the report."""
    if attempt.project.cleaning.label_errors != "report" or competed.task.kind != "classify":
        return ()
    if competed.tournament.winner in BASELINES:
        return ()  # it knows nothing of the rows, so no label can look wrong to it
    positions = competed.contest.valid[: len(competed.tournament.answers)]
    dataset = prepared.dataset
    try:
        found = find_label_errors(pick(dataset, positions), competed.tournament.answers)
    except MissingExtraError as error:
        attempt.listen(Remark(f"labels were not checked: {error.problems[0].fix}"))
        return ()
    write_parquet(attempt.folder.path / LABEL_ERRORS, found)
    return fill_label_errors(dataset.rows, dataset.inputs, found.head(MOST_SHOWN))


def settle_labels(attempt: Attempt, prepared: Prepared) -> Prepared:
    """Drop the training rows whose label looks wrong, or give them less weight, where the project asks for it.

    The test part keeps its labels as they are. The judge is the first light candidate, cross-validated over the
    training rows. Raises `MissingExtraError` without cleanlab.
    """
    mode = attempt.project.cleaning.label_errors
    if mode not in {"drop", "weight"} or prepared.dataset.task != "classify":
        return prepared
    folder = attempt.folder.path
    dataset, split = load_dataset(folder / JUDGED), load_split(folder / JUDGED_SPLIT)
    if dataset is None or split is None:
        dataset, split = treat_doubtful_labels(attempt, prepared.dataset, prepared.split, drop=mode == "drop")
        save_dataset(folder / JUDGED, dataset)
        save_split(folder / JUDGED_SPLIT, split)
    return replace(prepared, dataset=dataset, split=split)


def treat_doubtful_labels(attempt: Attempt, dataset: Dataset, split: Split, *, drop: bool) -> tuple[Dataset, Split]:
    """Find the training rows whose label looks wrong and return what is left, or what has less weight."""
    errors = find_label_errors(*judge_labels(attempt, dataset, split))
    doubted = split.train[errors["position"].to_numpy()]
    write_parquet(attempt.folder.path / LABEL_ERRORS, errors.with_columns(position=pl.Series(doubted)))
    attempt.listen(Remark(f"{len(doubted):,} labels look wrong: their rows are {WORDS[drop]} in training"))
    marked = apply_label_errors(dataset, errors.with_columns(position=pl.Series(doubted)), "weight")
    add_changes(attempt, marked.changes.filter(pl.col("step") == "label_error"), dataset)
    if not drop:
        return marked, split
    folds = tuple(Fold(without(fold.train, doubted), without(fold.valid, doubted)) for fold in split.folds)
    changed = replace(dataset, changes=marked.changes)
    return changed, Split(without(split.train, doubted), split.test, folds)


def judge_labels(attempt: Attempt, dataset: Dataset, split: Split) -> tuple[Dataset, np.ndarray]:
    """Return the training part and probabilities for it, `[n, labels]`, by a model that had not learnt the row."""
    entries = enter(attempt.project.model_copy(update={"models": "auto"}), dataset, Found())
    light = [entrant.card.name for entrant in entries.entrants if entrant.card.extra is None]
    # A linear model gives its own training labels the least benefit of the doubt.
    name = min((name for name in light if name not in BASELINES), key=lambda name: not name.endswith("linear"))
    part = pick(dataset, split.train)
    examples, task = examples_of(part), task_of(part, attempt.project)
    probabilities = np.zeros((len(part), task.width), dtype=np.float32)
    folds = np.random.default_rng(attempt.project.seed).permutation(len(part)) % JUDGE_FOLDS
    for number in range(JUDGE_FOLDS):
        held = np.flatnonzero(folds == number)
        fitted = (
            discover()
            .load(name)
            .fit(
                examples.take(np.flatnonzero(folds != number)),
                None,
                task,
                Recipe(),
                settings=None,
                seed=attempt.project.seed,
                clock=attempt.clock,
            )
        )
        probabilities[held] = fitted.predict(examples.rows[held])
    return part, probabilities


def add_changes(attempt: Attempt, changes: pl.DataFrame, dataset: Dataset) -> None:
    """Add changes with their rows to the file of all changes."""
    path = attempt.folder.path / CHANGES
    told = changes.with_columns(part=pl.lit("train")).join(dataset.rows, on=ROW, how="left", maintain_order="left")
    write_parquet(path, pl.concat([pl.read_parquet(path), told], how="diagonal_relaxed"))


def pick(dataset: Dataset, positions: np.ndarray) -> Dataset:
    """Return some rows of a data set, without weights and changes of their own."""
    return replace(
        dataset,
        rows=dataset.rows[positions],
        y=dataset.y[positions],
        groups=dataset.groups[positions],
        weight=None,
    )


def without(positions: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Return `positions` less those in `gone`."""
    return positions[~np.isin(positions, gone)]
