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

    @property
    def task(self) -> Literal["classify", "regress"]:
        """Return what it predicts: labels or values."""
        return "regress" if self.manifest.task == "regress" else "classify"

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """Return one prediction for each row (column name -> cell).

        Columns the model does not read are ignored; a cell may be None or left out in some rows. Raises `InputError`
        where no row has a column the model reads, or a cell cannot be read.
        """
        if not rows:
            return []
        answers = self.predict_columns(_columns(rows, self.predictor.columns))
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
        outputs = self.predictor.run(columns, strict=strict)
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
        raise PackageError("this package generates and predicts nothing", expected="the task classify or regress",
                           got=manifest.task, fix="headway generate uses it")  # fmt: skip
    others = {name: content for name, content in files.items() if name != MODEL}
    predictor = open_predictor(files[MODEL], manifest.feeds, others, threads=threads)
    wanted = "values" if manifest.task == "regress" else "probabilities"
    if predictor.output != wanted:
        raise PackageError("the graph does not fit the task", expected=f"the output {wanted}", got=predictor.output)
    return Model(manifest, predictor)


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the cells of the columns `names`; a row may leave a cell out, but not all rows."""
    for row, cells in enumerate(rows):
        if not isinstance(cells, Mapping):
            raise InputError("a row is not a mapping", where=f"row {row + 1}", expected="column name -> cell")
    for name in names:
        if not any(name in row for row in rows):
            raise missing_column(name, dict.fromkeys(key for row in rows[:100] for key in row))
    return {name: [row.get(name) for row in rows] for name in names}
