"""How large generator and critic are and how they are trained, by the size and number of the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from headway.errors import DataError
from headway.networks.plan import Precision
from headway.tasks.recipe import Recipe

# The generator begins with a picture of at least so many pixels a side and doubles it.
SMALLEST_START = 4
SMALLEST_SIDE, LARGEST_SIDE = 8, 128
# Channels of the first picture; each doubling halves them.
WIDEST = 96
# Gamma of the gradient penalty for each pixel: larger ones bear a stronger one (so do Karras et al. 2020b, "Training
# generative adversarial networks with limited data").
PENALTY_A_PIXEL = 5e-3
# What is read more often than this the critic may learn by heart: both kinds of pictures are changed before it looks.
# A guess: no run has compared both ways yet.
OFTEN = 60
# Pictures that are looked at in all where nothing hurries.
VIEWS = 600_000


@dataclass(frozen=True)
class Plan:
    """Training settings, none left open.

    `channels`: of the generator at the start and after each doubling; `critic_channels`: after each halving. `noise`:
    numbers that a picture is drawn from. `critic_rate`: the critic's learning rate as a share of the generator's.
    `gradient_penalty`: gamma of R1 (Mescheder et al. 2018, eq. 9), taken every `penalty_every` steps and so many times
    as strong (Karras et al. 2020, section 3.1). `average_pictures`: after so many pictures the moving average of the
    weights has forgotten half. `augment`: the critic sees both kinds of pictures shifted and with a hole (Zhao et al.
    2020). `steps` is the length of the schedule: the rate is constant, then falls to 0 over the last `cooling` share.
    """

    steps: int
    channels: tuple[int, ...] = (96, 48, 24)
    critic_channels: tuple[int, ...] = (32, 64, 128)
    noise: int = 64
    batch_size: int = 16
    learning_rate: float = 6e-4
    critic_rate: float = 1.0
    gradient_penalty: float = 4.0
    penalty_every: int = 4
    average_pictures: float = 10_000.0
    cooling: float = 0.4
    augment: bool = True
    precision: Precision = "auto"
    threads: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Return the plan as plain data that JSON can hold; `replayed` reads it."""
        plain = {name: value for name, value in asdict(self).items() if name != "threads"}
        return {**plain, **{name: ",".join(map(str, plain[name])) for name in _WIDTHS}}


_WIDTHS = ("channels", "critic_channels")


def replayed(settings: Mapping[str, Any]) -> Plan:
    """Return the plan that settings describe, which may have travelled through JSON."""
    known = {field.name for field in fields(Plan)} & settings.keys()
    widths = {name: tuple(map(int, str(settings[name]).split(","))) for name in _WIDTHS}
    return Plan(**{**{name: settings[name] for name in known}, **widths})


def plan_for(recipe: Recipe, *, width: int, height: int, rows: int) -> Plan:
    """Return the plan for so many pictures of this size, with a user's wishes on top.

    Raises `DataError` for pictures that are too small or too large to be drawn here.
    """
    check_size(width, height)
    doublings = doublings_of(width, height)
    channels = tuple(max(24, WIDEST >> level) for level in range(doublings + 1))
    critic = tuple(min(128, 32 << level) for level in range(doublings + 1))
    penalty = PENALTY_A_PIXEL * width * height
    plan = Plan(0, channels, critic, gradient_penalty=penalty)
    named = ("learning_rate", "batch_size", "augment")
    plan = replace(plan, **{name: getattr(recipe, name) for name in named if getattr(recipe, name) is not None})
    views = VIEWS if recipe.epochs is None else recipe.epochs * rows
    plan = replace(plan, steps=max(1, round(views / plan.batch_size)))
    return plan if recipe.augment is not None else augmented_for(plan, rows, plan.steps)


def augmented_for(plan: Plan, rows: int, steps: float) -> Plan:
    """Return the plan with changed pictures where so many steps read each of `rows` pictures often, else without."""
    return replace(plan, augment=steps * plan.batch_size > OFTEN * rows)


def check_size(width: int, height: int) -> None:
    """Raise `DataError` for pictures that are too small or too large to be drawn here."""
    if min(width, height) < SMALLEST_SIDE or max(width, height) > LARGEST_SIDE:
        raise DataError(
            "pictures of this size are not drawn",
            expected=f"{SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side",
            got=f"{width} x {height}",
            fix="bring the pictures to another size first",
        )


def doublings_of(width: int, height: int) -> int:
    """Return how often the first picture is doubled: until its shorter side would begin below `SMALLEST_START`."""
    doublings = 1
    while min(width, height) / 2 ** (doublings + 1) >= SMALLEST_START:
        doublings += 1
    return doublings
