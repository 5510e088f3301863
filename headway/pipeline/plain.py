"""Settings end here: the project file's parts become the plain arguments of the rooms below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from headway.project.schema import Limits, Project, Training
from headway.tasks.recipe import Recipe


def plain_recipe(training: Training) -> Recipe:
    """Return the training settings as a `Recipe`."""
    return Recipe(**{field.name: getattr(training, field.name) for field in fields(Recipe)})


def plain_models(project: Project) -> Mapping[str, Recipe] | None:
    """Return the families that are asked for with their own settings; None means all that fit."""
    if project.models == "auto":
        return None
    return {name: plain_recipe(training) for name, training in project.models.items()}


def plain_limits(limits: Limits) -> dict[str, float]:
    """Return the limits that are set, by the name of the `Outcome` field they hold for."""
    named = {
        "latency_p50_ms": limits.latency_p50,
        "latency_p95_ms": limits.latency_p95,
        "size_mb": limits.size,
        "memory_mb": limits.memory,
    }
    return {name: value for name, value in named.items() if value is not None}
