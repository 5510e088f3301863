"""Who may take part in a tournament, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from headway.bases.base import BaseKind
from headway.data.dataset import Column
from headway.models.family import Card, Registry
from headway.tasks.recipe import Recipe
from headway.training.outcome import Outcome

BASELINE = "baseline"
# The candidates that run on any clock, and tell what a model must beat; the one of texts does not ship.
YARDSTICK = "ngram"
BASELINES = frozenset({BASELINE, YARDSTICK})


@dataclass(frozen=True)
class Entrant:
    """A candidate that may start, with the settings a user fixed for it; `asked_for` where the user named it."""

    card: Card
    recipe: Recipe
    asked_for: bool = False


@dataclass(frozen=True)
class Entries:
    """The entrants, those turned away with their reason, and what a user should know about ignored settings."""

    entrants: tuple[Entrant, ...]
    turned_away: tuple[Outcome, ...]
    remarks: tuple[str, ...]


def list_entries(
    registry: Registry,
    *,
    inputs: tuple[Column, ...],
    task: str,
    models: Mapping[str, Recipe] | None,
    recipe: Recipe,
    without: Mapping[BaseKind, str] | None = None,
    unlabelled: bool = False,
) -> Entries:
    """Choose the candidates for these inputs and this task.

    `models` maps the families a user asked for to their own settings; None means every family that fits. The baseline
    always takes part. `recipe` holds the settings for all families. `without`: the kinds of base models that are not at
    hand, each with the reason. `unlabelled`: there are rows without a target.
    """
    least = YARDSTICK if task == "generate" else BASELINE
    names = sorted(registry.cards) if models is None else [least, *(name for name in models if name != least)]
    entrants: list[Entrant] = []
    turned_away: list[Outcome] = []
    remarks: list[str] = []
    for name in names:
        card = registry.cards[name]
        reason = reason_to_stay_out(card, inputs=inputs, task=task, asked_for=models is not None)
        own = Recipe() if models is None else models.get(name, Recipe())
        settled = settle_recipe(card, recipe, own)
        reason = reason or loss_out_of_reach(card, settled) or base_out_of_reach(card, without or {})
        if reason is None and card.unlabelled and not unlabelled:
            reason = "learns from rows without a target: name some with unlabelled"
        if reason is None:
            entrants.append(Entrant(card, settled, asked_for=models is not None))
            ignored = recipe.given() - card.honours - own.given()
            if ignored and name not in BASELINES:
                remarks.append(f"{name} has no use for training.{', training.'.join(sorted(ignored))}")
        elif models is not None or reason.startswith("needs"):
            turned_away.append(Outcome(name, "skipped", reason))
    return Entries(tuple(entrants), tuple(turned_away), tuple(remarks))


def reason_to_stay_out(card: Card, *, inputs: tuple[Column, ...], task: str, asked_for: bool = False) -> str | None:
    """Return why a family cannot take part, or None when it can."""
    present = frozenset(column.modality for column in inputs)
    if task not in card.tasks:
        return "does not take several targets" if task == "several" else f"does not {task}"
    if not present & card.modalities:
        return f"reads {', '.join(sorted(card.modalities))}; the inputs are {', '.join(sorted(present))}"
    if not card.requires <= present:
        return f"reads only rows that also have a column of kind {', '.join(sorted(card.requires - present))}"
    if not card.takes_part(present, asked_for=asked_for):
        missing = card.among if not card.among & present else card.usually_among
        return f"reads {', '.join(sorted(present))} only beside a column of kind {', '.join(sorted(missing))}"
    if card.missing() is not None:
        return f'needs {card.missing()}: pip install "headway[{card.extra}]"'
    return None


def loss_out_of_reach(card: Card, recipe: Recipe) -> str | None:
    """Return why a family cannot train as wished, or None when it can."""
    if card.losses is None or recipe.loss is None or recipe.loss in card.losses:
        return None
    return f"needs another loss: it cannot train with {recipe.loss}, only with {', '.join(sorted(card.losses))}"


def base_out_of_reach(card: Card, without: Mapping[BaseKind, str]) -> str | None:
    """Return why there is no base model for a family, or None when it needs none or there is one."""
    return None if card.base is None or card.base_optional else without.get(card.base)


def settle_recipe(card: Card, general: Recipe, own: Recipe) -> Recipe:
    """Merge the settings for all families, as far as `card` honours them, with those for this family alone."""
    names = [field.name for field in fields(Recipe)]
    shared = {name: getattr(general, name) for name in names if name in card.honours}
    special = {name: getattr(own, name) for name in own.given()}
    return replace(Recipe(), **{**shared, **special})
