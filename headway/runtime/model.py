"""An open package: rows in, answers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headway.errors import InputError, PackageError
from headway.runtime.archive import MODEL, read_package
from headway.runtime.decisions import decide
from headway.runtime.feeds import Cells
from headway.runtime.feeds.cells import missing_column
from headway.runtime.history.memory import Memory
from headway.runtime.history.storing import FILE, read_past
from headway.runtime.manifest import Label, Manifest
from headway.runtime.predictor import Predictor, open_predictor


@dataclass(frozen=True)
class Prediction:
    """The answer for one row: a label with its probability and all labels' probabilities, or a value alone."""

    prediction: Label
    confidence: float | None = None
    probabilities: Mapping[Label, float] | None = None


@dataclass(frozen=True)
class Answers:
    """The answers for many rows.

    `predictions`: `[rows]`, an object array of labels, or the float32 values. `confidence`: float32 `[rows]`, the
    probability of the answer, and `probabilities`: float32 `[rows, labels]` in the manifest's order; both None for
    regression. `values`: float32 `[rows]` for regression, else None.
    """

    predictions: np.ndarray
    confidence: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Model:
    """A package that was opened; safe to share between threads."""

    manifest: Manifest
    predictor: Predictor
    memory: Memory | None = None

    @property
    def task(self) -> Literal["classify", "regress"]:
        """Return what it predicts: labels or values."""
        return "regress" if self.manifest.task == "regress" else "classify"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that rows must have; those that tell of the past come from the package itself."""
        if self.memory is None or not self.told:
            return self.predictor.columns
        read = [name for name in self.predictor.columns if name not in set(self.told)]
        return tuple(dict.fromkeys([*self.memory.columns, *read]))

    @cached_property
    def told(self) -> tuple[str, ...]:
        """Return the columns that tell of a row's past, as far as the model reads them."""
        names = frozenset() if self.memory is None else frozenset(self.memory.names)
        return tuple(name for name in self.predictor.columns if name in names)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """Return one prediction for each row (column name -> cell).

        Columns the model does not read are ignored; a cell may be None or left out in some rows. Raises `InputError`
        where no row has a column the model reads, or a cell cannot be read. Rows know nothing of each other; where a
        package tells of the past, that is what it remembers (`remember`).
        """
        if not rows:
            return []
        answers = self.predict_columns(_columns(rows, self._wanted(rows[0])))
        if answers.probabilities is None or answers.confidence is None:
            return [Prediction(value) for value in answers.predictions.tolist()]
        labels = self.manifest.labels
        return [
            Prediction(label, confidence, dict(zip(labels, row, strict=True)))
            for label, confidence, row in zip(
                answers.predictions.tolist(), answers.confidence.tolist(), answers.probabilities.tolist(), strict=True
            )
        ]

    def predict_columns(self, columns: Mapping[str, Cells], *, strict: bool = True) -> Answers:
        """Return the answers for columns of equal length: lists, numpy arrays, or Series.

        Raises `InputError` for a missing column (naming the nearest), columns of different length, and, where
        `strict`, a cell that cannot be read; without `strict` such a cell counts as missing.
        """
        outputs = self.predictor.run(self.remember(columns, strict=strict), strict=strict)
        if self.manifest.task == "regress":
            values = outputs[:, 0]
            return Answers(values, values=values)
        if not len(outputs):
            outputs = outputs.reshape(0, len(self.manifest.labels))
        if outputs.shape[1] != len(self.manifest.labels):
            raise PackageError(
                "the graph does not answer the manifest's labels",
                expected=f"{len(self.manifest.labels)} probabilities",
                got=str(outputs.shape[1]),
            )
        chosen = decide(outputs, self.manifest)
        return Answers(self._labels[chosen], outputs[np.arange(len(outputs)), chosen], outputs)

    def remember(
        self, columns: Mapping[str, Cells], *, strict: bool = True, in_order: bool = False
    ) -> Mapping[str, Cells]:
        """Return the columns and those that tell of each row's past, where the package has a history.

        With `in_order` rows are also each other's past, in the order of their times (`Memory.follow`); else they know
        what the package remembers (`Memory.recall`). Columns that tell of the past already are taken as they are.
        """
        if self.memory is None or all(name in columns for name in self.told):
            return columns
        told = self.memory.follow if in_order else self.memory.recall
        return {**columns, **told(columns, strict=strict)}

    def _wanted(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the columns to take from rows like this one."""
        if isinstance(row, Mapping) and all(name in row for name in self.told):
            return self.predictor.columns
        return self.columns

    @cached_property
    def _labels(self) -> np.ndarray:
        """Return the labels as an object array."""
        labels = np.empty(len(self.manifest.labels), dtype=object)
        labels[:] = self.manifest.labels
        return labels


def load(path: str | Path, *, threads: int | None = None) -> Model:
    """Open a package, a folder or a `.headway` file, and prove it first.

    `threads`: how many cores to use, all by default. Nothing is unpacked, and nothing inside is run but the ONNX
    graph. Raises `PackageError` for anything that is not a whole, unchanged, understood package.
    """
    if threads is not None and threads < 1:
        raise InputError("threads must be positive", expected="1 or more", got=str(threads))
    manifest, files = read_package(Path(path))
    return assemble(manifest, files, threads=threads)


def assemble(manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> Model:
    """Return the model of a manifest and its files, which are not verified again (the model is `MODEL`)."""
    if manifest.task == "generate":
        raise PackageError("this package writes text and predicts nothing", expected="the task classify or regress",
                           got=manifest.task, fix="headway generate writes with it")  # fmt: skip
    others = {name: content for name, content in files.items() if name not in {MODEL, FILE}}
    predictor = open_predictor(files[MODEL], manifest.feeds, others, threads=threads)
    wanted = "values" if manifest.task == "regress" else "probabilities"
    if predictor.output != wanted:
        raise PackageError("the graph does not fit the task", expected=f"the output {wanted}", got=predictor.output)
    return Model(manifest, predictor, _memory(manifest, files))


def _memory(manifest: Manifest, files: Mapping[str, bytes]) -> Memory | None:
    """Return what the package remembers, where it has a history."""
    if manifest.history is None:
        return None
    return Memory(manifest.history, manifest.target, read_past(manifest.history, files[FILE]))


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the cells of the columns `names`; a row may leave a cell out, but not all rows."""
    for row, cells in enumerate(rows):
        if not isinstance(cells, Mapping):
            raise InputError("a row is not a mapping", where=f"row {row + 1}", expected="column name -> cell")
    for name in names:
        if not any(name in row for row in rows):
            raise missing_column(name, dict.fromkeys(key for row in rows[:100] for key in row))
    return {name: [row.get(name) for row in rows] for name in names}
