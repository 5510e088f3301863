"""An open package: rows in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headway.errors import InputError, PackageError
from headway.runtime.archive import MODEL, read_package
from headway.runtime.decisions import decide
from headway.runtime.feeds import Cells
from headway.runtime.feeds.lacking import missing_columns
from headway.runtime.history.memory import Memory
from headway.runtime.history.storing import FILE, read_past
from headway.runtime.manifest import Label, Manifest
from headway.runtime.predictor import Predictor, open_predictor


@dataclass(frozen=True)
class Prediction:
    """The answer for one row: a label with its probability and all labels' probabilities, or a value alone.

    Of several targets `prediction` holds the answer for each by its name, and `targets` all that is said of it.
    """

    prediction: Label | Mapping[str, Label]
    confidence: float | None = None
    probabilities: Mapping[Label, float] | None = None
    targets: Mapping[str, Prediction] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """The answers for many rows.

    `predictions`: `[rows]`, an object array of labels, or the float32 values. `confidence`: float32 `[rows]`, the
    probability of the answer, and `probabilities`: float32 `[rows, labels]` in the manifest's order; both None for
    regression. `values`: float32 `[rows]` for regression, else None. Of several targets `targets` holds the answers for
    each by its name, and `predictions` is `[rows, targets]`.
    """

    predictions: np.ndarray
    confidence: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    values: np.ndarray | None = None
    targets: Mapping[str, Answers] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A package that was opened; safe to share between threads."""

    manifest: Manifest
    predictor: Predictor
    memory: Memory | None = None

    @property
    def task(self) -> Literal["classify", "regress", "several"]:
        """Return what it predicts: labels, values, or several targets."""
        assert self.manifest.task != "generate"
        return self.manifest.task

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
        if not self.manifest.targets:
            return _predictions(answers, self.manifest.labels)
        parts = [_predictions(answers.targets[part.target], part.labels) for part in self.manifest.parts]
        names = [part.target for part in self.manifest.parts]
        return [
            Prediction(
                {name: each.prediction for name, each in zip(names, row, strict=True)},
                targets=dict(zip(names, row, strict=True)),
            )
            for row in zip(*parts, strict=True)
        ]

    def predict_columns(self, columns: Mapping[str, Cells], *, strict: bool = True) -> Answers:
        """Return the answers for columns of equal length: lists, numpy arrays, or Series.

        Raises `InputError` for a missing column (naming the nearest), columns of different length, and, where
        `strict`, a cell that cannot be read; without `strict` such a cell counts as missing.
        """
        outputs = self.predictor.run(self.remember(columns, strict=strict), strict=strict)
        wanted = sum(part.width for part in self._parts)
        if not len(outputs):
            outputs = outputs.reshape(0, wanted)
        if outputs.shape[1] != wanted:
            raise PackageError(
                "the graph does not answer the manifest's labels",
                expected=f"{wanted} probabilities",
                got=str(outputs.shape[1]),
            )
        if not self.manifest.targets:
            return self._parts[0].answers(outputs)
        found: dict[str, Answers] = {}
        start = 0
        for part in self._parts:
            found[part.manifest.target] = part.answers(outputs[:, start : start + part.width])
            start += part.width
        together = np.stack([each.predictions.astype(object) for each in found.values()], axis=1)
        return Answers(together, targets=found)

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
    def _parts(self) -> tuple[_Part, ...]:
        """Return what turns the outputs of each target into answers."""
        return tuple(_Part.of(manifest) for manifest in self.manifest.parts)


@dataclass(frozen=True)
class _Part:
    """One target: its manifest, as if it were the only one, and its labels as an object array."""

    manifest: Manifest
    labels: np.ndarray

    @classmethod
    def of(cls, manifest: Manifest) -> _Part:
        labels = np.empty(len(manifest.labels), dtype=object)
        labels[:] = manifest.labels
        return cls(manifest, labels)

    @property
    def width(self) -> int:
        """Return how many figures of a row are its own."""
        return len(self.labels) or 1

    def answers(self, outputs: np.ndarray) -> Answers:
        """Return the answers that its outputs `[rows, width]` stand for."""
        if self.manifest.task == "regress":
            return Answers(outputs[:, 0], values=outputs[:, 0])
        chosen = decide(outputs, self.manifest)
        return Answers(self.labels[chosen], outputs[np.arange(len(outputs)), chosen], outputs)


def load(path: str | Path, *, threads: int | None = None) -> Model:
    """Open a package, a folder or a `.headway` file, and prove it first.

    `threads`: how many cores to use, all by default. Nothing is unpacked, and nothing inside is run but the ONNX
    graph. Raises `PackageError` for anything that is not a whole, unchanged, understood package.
    """
    if threads is not None and threads < 1:
        raise InputError("threads must be positive", expected="1 or more", got=str(threads))
    manifest, files = read_package(Path(path))
    expected = manifest.files[MODEL]

    def reopen() -> bytes:
        again, content = read_package(Path(path))
        if again.files[MODEL] != expected:
            raise PackageError("the package was exchanged while it was open", where=str(path))
        return content[MODEL]

    return assemble(manifest, files, threads=threads, reopen=reopen)


def assemble(
    manifest: Manifest,
    files: Mapping[str, bytes],
    *,
    threads: int | None = None,
    reopen: Callable[[], bytes] | None = None,
) -> Model:
    """Return the model of a manifest and its files, which are not verified again (the model is `MODEL`).

    `reopen` gives the model again; see `open_predictor`.
    """
    if manifest.task == "generate":
        raise PackageError("this package generates and predicts nothing", expected="the task classify or regress",
                           got=manifest.task, fix="headway generate uses it")  # fmt: skip
    others = {name: content for name, content in files.items() if name not in {MODEL, FILE}}
    predictor = open_predictor(files[MODEL], manifest.feeds, others, threads=threads, reopen=reopen)
    if predictor.outputs != manifest.outputs:
        raise PackageError(
            "the graph does not fit the task",
            expected=f"the output {', '.join(manifest.outputs)}",
            got=", ".join(predictor.outputs),
        )
    return Model(manifest, predictor, _memory(manifest, files))


def _memory(manifest: Manifest, files: Mapping[str, bytes]) -> Memory | None:
    """Return what the package remembers, where it has a history."""
    if manifest.history is None:
        return None
    return Memory(manifest.history, manifest.target, read_past(manifest.history, files[FILE]))


def _predictions(answers: Answers, labels: Sequence[Label]) -> list[Prediction]:
    """Return the answers for one target row by row."""
    if answers.probabilities is None or answers.confidence is None:
        return [Prediction(value) for value in answers.predictions.tolist()]
    return [
        Prediction(label, confidence, dict(zip(labels, row, strict=True)))
        for label, confidence, row in zip(
            answers.predictions.tolist(), answers.confidence.tolist(), answers.probabilities.tolist(), strict=True
        )
    ]


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the cells of the columns `names`; a row may leave a cell out, but not all rows."""
    for row, cells in enumerate(rows):
        if not isinstance(cells, Mapping):
            raise InputError("a row is not a mapping", where=f"row {row + 1}", expected="column name -> cell")
    if not all(any(name in row for row in rows) for name in names):
        raise missing_columns(names, dict.fromkeys(key for row in rows for key in row))
    return {name: [row.get(name) for row in rows] for name in names}
