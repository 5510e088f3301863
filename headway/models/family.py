"""What a candidate family promises: a light card, and heavy code that is imported only when it runs.

A family is one folder under `headway/models/`. Its `__init__.py` defines `CARD` and imports nothing heavy.
Its `fitting.py` defines two functions with the signatures of `Family`. The contract test in
`tests/models/test_contract.py` finds the folder by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import polars as pl

from headway.bases.base import Base, BaseKind
from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import MissingExtraError
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

Settings = Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Card:
    """What can be known of a family without importing it.

    `modalities`: the input modalities it can read; columns of others are ignored by it. It takes part when
    it reads at least one column of the project, `requires` (if any) are all present, and `among` (if any) has one that
    is present: a table family reads texts beside numbers, but leaves a project of nothing but texts to others.
    `usually_among`: the same, but a user who names the family has it without.
    `honours`: the names of the fields of `Recipe` it obeys; a user's setting outside them is an error when it is set
    for this family, and a remark when it is set for all. `elastic`: its `fit` plans its training to end before the
    clock does (fewer epochs), so it may start although its estimate is above the time left. `losses`: those it can
    train with, where it honours `loss` but not every one of them. `base`: the kind of pretrained model that it cannot
    do without; it finds it in `Support.base`, and is turned away where there is none, unless it is `base_optional`.
    `unlabelled`: it learns from `Support.unlabelled`, and takes part only where there are such rows. `self_tuning`:
    given neither settings nor a validation part, its `fit` chooses settings inside the rows it is given, by
    cross-validation or out-of-bag answers; a cross-validating tournament lets it do so once, on all training rows, and
    every fold replays what was chosen. `most_rows_a_label`: above so many rows of a usual label it stays out, unless
    the user named it. `samples`: where time is short it may learn from a sample of the rows; not where answering the
    validation rows costs as much as learning. `apart`: several targets are answered by one model of it for each, side
    by side in one graph.
    """

    name: str
    summary: str
    modalities: frozenset[str]
    tasks: frozenset[str]
    honours: frozenset[str] = frozenset()
    requires: frozenset[str] = frozenset()
    among: frozenset[str] = frozenset()
    usually_among: frozenset[str] = frozenset()
    extra: str | None = None
    needs: tuple[str, ...] = ()
    elastic: bool = False
    self_tuning: bool = False
    most_rows_a_label: int | None = None
    samples: bool = True
    losses: frozenset[str] | None = None
    base: BaseKind | None = None
    base_optional: bool = False
    unlabelled: bool = False
    apart: bool = False

    def takes_part(self, modalities: frozenset[str], *, asked_for: bool = False) -> bool:
        """Tell whether the family has something to read in a project with columns of these `modalities`."""
        is_fed = bool(self.modalities & modalities) and self.requires <= modalities
        wanted = (self.among, frozenset() if asked_for else self.usually_among)
        return is_fed and all(not among or bool(among & modalities) for among in wanted)

    def missing(self) -> str | None:
        """Return the first import name in `needs` that is not installed, or None."""
        return next((name for name in self.needs if importlib.util.find_spec(name) is None), None)


@dataclass(frozen=True)
class Support:
    """What a run may lean on beside its labelled rows.

    `base`: the pretrained model of the kind that the family's card asks for, else None. `unlabelled`: rows with the
    same input columns, typed alike, and no target; none of them repeats a labelled row; None where there are none.
    `store`: a folder that outlives the run, for what is costly to compute and the same for all (features of a frozen
    base); None where nothing may be kept. `scratch`: a folder that lasts as long as the run, for what a killed
    fit goes on from; what is there is named by its content, so that folds and the refit share it. `memory_mb`: what the
    process may take. `latency_ms`: what answering one row may take in the end.
    """

    base: Base | None = None
    unlabelled: pl.DataFrame | None = None
    store: Path | None = None
    scratch: Path | None = None
    memory_mb: float = float("inf")
    latency_ms: float = float("inf")


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: input columns as the readers left them, and their targets.

    `rows`: `[n]` rows; text, category and image path columns are strings (an image may also be bytes), numbers
    Float64, dates Datetime; missing is null. `y`: `[n]`, int64 class indices or float32 values;
    with several targets `[n, parts]`, see `Several`. `weight`: `[n]` float32 or None for all ones.
    """

    rows: pl.DataFrame
    inputs: tuple[Column, ...]
    y: np.ndarray
    weight: np.ndarray | None = None
    support: Support = Support()

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows.height

    def take(self, indices: np.ndarray) -> Examples:
        """Return the rows at `indices` (`[k]` int64), in that order."""
        weight = None if self.weight is None else self.weight[indices]
        return replace(self, rows=self.rows[indices], y=self.y[indices], weight=weight)

    def columns(self, *modalities: str) -> tuple[str, ...]:
        """Return the names of the input columns of the given modalities, in the project's order."""
        return tuple(column.name for column in self.inputs if column.modality in modalities)


@dataclass(frozen=True)
class Estimate:
    """What one `fit` is expected to cost here: wall seconds on this machine and peak extra memory in MB.

    `row_seconds`: what answering one row among many takes, where that is worth a thought (0 where it is not).
    `tokens_per_second`: for one that reads texts through an encoder, as timed here: the tokens that a frozen one reads,
    and that a training step through all layers takes of one that learns; 0 where nothing was timed.
    """

    seconds: float
    memory_mb: float
    row_seconds: float = 0.0
    tokens_per_second: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Training progress: one value per epoch of `train` and `valid` (lower is better), e.g. of the loss."""

    name: str
    train: tuple[float, ...]
    valid: tuple[float, ...] = ()


class Fitted(Protocol):
    """A trained candidate.

    It may have an attribute `searching_seconds`: the part of its `fit` that a replay of its settings does not need.
    """

    @property
    def settings(self) -> Settings:
        """What tuning and early stopping chose; handing it to `fit` again replays it without a validation part."""

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Training curves for the report; may be empty."""

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, labels]` probabilities, or `[n]` values, from the trained (not the exported) model.

        With several targets `[n, width]`, see `Several`.
        """

    def graph(self) -> Graph | None:
        """Return the same model as an ONNX graph; None for a yardstick that does not ship and cannot win."""


def notes_of(fitted: Fitted) -> tuple[str, ...]:
    """Return what a user should know of a training that ended well; few families have anything to say."""
    return tuple(getattr(fitted, "notes", ()))


class Family(Protocol):
    """The module `headway.models.<name>.fitting`.

    It may have a function `shared_seconds(train)`: the part of its estimate that several targets have in common.
    """

    def estimate(self, train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
        """Estimate one `fit` on `train` by a probe on a small part of it (at most about two seconds)."""

    def fit(
        self,
        train: Examples,
        valid: Examples | None,
        task: Task,
        recipe: Recipe,
        *,
        settings: Settings | None,
        seed: int,
        clock: Clock,
    ) -> Fitted:
        """Train on `train`.

        With `valid`, choose settings and stop early on it. Without (the final refit on all rows), replay
        `settings` from an earlier fit, or sensible defaults. When `clock` expires, stop and return the best so
        far, or raise `TrainingError` if there is nothing useful yet. The same seed gives the same model.
        """


@dataclass(frozen=True)
class Registry:
    """All families found under `headway.models`."""

    cards: Mapping[str, Card] = field(default_factory=dict)

    def load(self, name: str) -> Family:
        """Import the heavy part of a family; raises `MissingExtraError` where its extra is not installed."""
        card = self.cards[name]
        if card.extra is not None and card.missing() is not None:
            raise MissingExtraError(card.extra, purpose=f"the candidate {name}")
        return cast("Family", importlib.import_module(f"headway.models.{name}.fitting"))

    def load_for(self, name: str, task: Task) -> Family:
        """Return a family as it takes on `task`: for several targets, where its card says so, with a model for each."""
        if task.kind == "several" and self.cards[name].apart:
            from headway.models.apart import Apart

            return Apart(self.load(name))
        return self.load(name)


@cache
def discover() -> Registry:
    """Find every family folder and read its card."""
    package = importlib.import_module("headway.models")
    cards: dict[str, Card] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            card: Card = importlib.import_module(f"headway.models.{module.name}").CARD
            cards[card.name] = card
    return Registry(cards)
