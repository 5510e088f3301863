"""Several targets by one model for each, all of one family: fitted one after another, side by side in one graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.family import Curve, Estimate, Examples, Family, Fitted, Settings, notes_of
from headway.package.combining import side_by_side
from headway.package.graph import Graph
from headway.tasks import Several, Task
from headway.tasks.recipe import Recipe

_LOSSES = MappingProxyType(
    {
        "classify": frozenset({"cross_entropy", "binary_cross_entropy", "focal"}),
        "regress": frozenset({"mse", "mae", "huber"}),
    }
)

# What is kept for later targets, of their equal share of the time, where the first does what all have in common.
_LATER = 0.5


@dataclass(frozen=True)
class Apart:
    """A family that fits a model for each of several targets, on the rows that have it."""

    family: Family

    def estimate(self, train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
        """Return the sum over the targets, less what all of them do alike (`shared_seconds` of the family)."""
        assert isinstance(task, Several)
        parts = [
            self.family.estimate(
                examples_of_part(train, task, place), part.task, recipe_of(recipe, part.task), seed=seed
            )
            for place, part in enumerate(task.parts)
        ]
        alike = getattr(self.family, "shared_seconds", None)
        shared = 0.0 if alike is None else float(alike(train)) * (len(parts) - 1)
        seconds = max(*(each.seconds for each in parts), sum(each.seconds for each in parts) - shared)
        return Estimate(
            seconds,
            max(each.memory_mb for each in parts),
            tokens_per_second=max(each.tokens_per_second for each in parts),
        )

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
    ) -> SideBySide:
        """Fit one target after another, each with its share of the time that is left; see `Family.fit`."""
        assert isinstance(task, Several)
        fitted: dict[str, Fitted] = {}
        for place, part in enumerate(task.parts):
            examples = examples_of_part(train, task, place)
            if len(examples) == 0:
                raise TrainingError(f"no row to learn from has the target {part.name!r}", fix="add rows that have it")
            exam = None if valid is None else examples_of_part(valid, task, place)
            left = clock.left() * _share(self.family, len(task.parts) - place)
            fitted[part.name] = self.family.fit(
                examples,
                exam if exam is not None and len(exam) else None,
                part.task,
                recipe_of(recipe, part.task),
                settings=None if settings is None else _settings_of(settings, part.name),
                seed=seed,
                clock=clock if left == float("inf") else Clock.after(left),
            )
        return SideBySide(task, fitted)


@dataclass(frozen=True)
class SideBySide:
    """One fitted model for each target."""

    task: Several
    parts: Mapping[str, Fitted]

    @property
    def settings(self) -> Settings:
        """Return the settings of all parts, each led by its target."""
        return {
            f"{target}.{name}": value for target, part in self.parts.items() for name, value in part.settings.items()
        }

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the curves of all parts, each led by its target."""
        return tuple(
            replace(curve, name=f"{target}: {curve.name}")
            for target, part in self.parts.items()
            for curve in part.curves
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a user should know of any part."""
        return tuple(dict.fromkeys(note for part in self.parts.values() for note in notes_of(part)))

    @property
    def searching_seconds(self) -> float:
        """Return the seconds that a replay of the settings does not need."""
        return sum(float(getattr(part, "searching_seconds", 0.0)) for part in self.parts.values())

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, width]`, the answers of all parts side by side."""
        return np.concatenate(
            [self.parts[part.name].predict(rows).reshape(rows.height, part.task.width) for part in self.task.parts],
            axis=1,
        )

    def graph(self) -> Graph:
        """Return one graph with an output for each target."""
        graphs: dict[str, Graph] = {}
        for name, part in self.parts.items():
            graph = part.graph()
            assert graph is not None
            graphs[name] = graph
        return side_by_side(graphs, {part.name: part.task.width for part in self.task.parts})


def examples_of_part(examples: Examples, task: Several, place: int) -> Examples:
    """Return the rows that have the target of a part, with that target alone."""
    rows, y = task.known(examples.y, place)
    return replace(examples.take(rows), y=y)


def _share(family: Family, targets: int) -> float:
    """Return the share of the time left that the next of so many targets may take.

    Where the first one does the work that all have in common, it may take more than its turn.
    """
    equal = 1 / targets
    return equal if getattr(family, "shared_seconds", None) is None else 1 - _LATER * (1 - equal)


def recipe_of(recipe: Recipe, task: Task) -> Recipe:
    """Return the settings that have a meaning for the task of one target."""
    if recipe.loss is not None and recipe.loss not in _LOSSES[task.kind]:
        recipe = replace(recipe, loss=None)
    if task.kind == "classify":
        return recipe
    return replace(recipe, class_weights=None, focal_gamma=None, label_smoothing=None, r_drop=None)


def _settings_of(settings: Settings, target: str) -> Settings:
    """Return the settings of one part, under their own names."""
    start = f"{target}."
    return {name.removeprefix(start): value for name, value in settings.items() if name.startswith(start)}
