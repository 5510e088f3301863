"""Data sets and splits on disk, so that a killed run need not read and clean again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from headway.compute.drafts import whole_file, whole_folder
from headway.data.dataset import Column, Dataset, Fold, Split
from headway.runtime.manifest import Target


def save_dataset(folder: Path, dataset: Dataset) -> None:
    """Write a data set into `folder`, all or nothing."""
    arrays = {"y": dataset.y, "groups": dataset.groups}
    if dataset.weight is not None:
        arrays["weight"] = dataset.weight
    plain = {
        "inputs": [[column.name, column.modality] for column in dataset.inputs],
        "target": dataset.target,
        "task": dataset.task,
        "labels": list(dataset.labels),
        "form": dataset.form,
        "targets": [asdict(target) for target in dataset.targets],
    }
    with whole_folder(folder) as draft:
        dataset.rows.write_parquet(draft / "rows.parquet")
        dataset.changes.write_parquet(draft / "changes.parquet")
        np.savez(draft / "arrays.npz", **arrays)  # type: ignore[arg-type]  # numpy's stub reads the names as options
        (draft / "dataset.json").write_text(json.dumps(plain, ensure_ascii=False))


def load_dataset(folder: Path) -> Dataset | None:
    """Return the data set kept in `folder`, or None."""
    if not folder.exists():
        return None
    plain = json.loads((folder / "dataset.json").read_text())
    with np.load(folder / "arrays.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    return Dataset(
        rows=pl.read_parquet(folder / "rows.parquet"),
        inputs=tuple(Column(name, modality) for name, modality in plain["inputs"]),
        target=plain["target"],
        task=plain["task"],
        labels=tuple(plain["labels"]),
        y=kept["y"],
        groups=kept["groups"],
        weight=kept.get("weight"),
        changes=pl.read_parquet(folder / "changes.parquet"),
        form=plain.get("form"),
        targets=tuple(Target(**{**each, "labels": tuple(each["labels"])}) for each in plain.get("targets", ())),
    )


def save_split(file: Path, split: Split) -> None:
    """Write a split, all or nothing."""
    arrays = {"train": split.train, "test": split.test}
    for number, fold in enumerate(split.folds):
        arrays[f"train_{number}"], arrays[f"valid_{number}"] = fold.train, fold.valid
    with whole_file(file) as draft:
        np.savez(draft, **arrays)  # type: ignore[arg-type]  # numpy's stub reads the names as options


def load_split(file: Path) -> Split | None:
    """Return the split kept in `file`, or None."""
    if not file.exists():
        return None
    with np.load(file) as arrays:
        count = sum(name.startswith("train_") for name in arrays.files)
        folds = tuple(Fold(arrays[f"train_{number}"], arrays[f"valid_{number}"]) for number in range(count))
        return Split(arrays["train"], arrays["test"], folds)
