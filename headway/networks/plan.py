"""How a network will be trained: the recipe with every knob filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from headway.errors import TrainingError
from headway.tasks import Task
from headway.tasks.recipe import Loss, Optimizer, Recipe, Schedule

Precision = Literal["auto", "float32"]
LOSSES: Mapping[str, tuple[Loss, ...]] = {
    "classify": ("cross_entropy", "binary_cross_entropy", "focal"),
    "regress": ("mse", "mae", "huber"),
}
# A good SGD rate is tens of times a good Adam rate; used when the user changes one without the other.
SGD_TO_ADAM = 30.0


@dataclass(frozen=True)
class Plan:
    """Training settings as in `Recipe`, none left open.

    `early_stopping` 0: no stopping, the last epoch is kept. `clip` 0: no clipping. `criterion`: what early stopping
    watches on the validation part, the loss or the error rate (ties broken by the loss). `precision`: "auto" is
    bfloat16 autocast where the hardware has it. `threads`: how many threads share a step, None for torch's own choice;
    small steps are best done by one, since threads that wait for each other on a busy machine cost tenfold.

    `layer_decay`: a parameter `h` layers below the head learns at `layer_decay**h` times the rate, where the network
    is `Layered` (Howard & Ruder 2018, section 3.2). `tokens`: a step is done in parts of at most so many padded
    tokens, whose gradients add up; 0 for one part.

    `solved`: the network as built is good already, so early stopping counts it as epoch 0 and keeps it if none is
    better. `gentle_steps`: in so many first steps the rate stays below a line that rises from 0, however few there
    will be: Adam has no second moments to go by yet and would go too far (Ma & Yarats 2021, "On the adequacy of untuned
    warmup for adaptive optimization").
    """

    loss: Loss = "cross_entropy"
    optimizer: Optimizer = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.01
    l1: float = 0.0
    dropout: float = 0.0
    epochs: int = 20
    batch_size: int = 64
    schedule: Schedule = "cosine"
    warmup: float = 0.1
    early_stopping: int = 0
    class_weights: Literal["balanced"] | Mapping[str, float] | None = None
    focal_gamma: float = 2.0
    huber_delta: float = 1.0
    label_smoothing: float = 0.0
    r_drop: float = 0.0
    mixout: float = 0.0
    clip: float = 0.0
    augment: bool = False
    criterion: Literal["loss", "error"] = "loss"
    precision: Precision = "auto"
    threads: int | None = None
    layer_decay: float = 1.0
    tokens: int = 0
    solved: bool = False
    gentle_steps: int = 0


# What networks honour that go on from a base, and what all do; a recipe has more, for families that train otherwise.
HONOURED_FROM_BASE = frozenset(field.name for field in fields(Recipe)) & frozenset(field.name for field in fields(Plan))
HONOURED = HONOURED_FROM_BASE - {"mixout"}


def planned(recipe: Recipe, task: Task, defaults: Plan) -> Plan:
    """Lay a user's recipe over a family's defaults; raises `TrainingError` for a loss that does not fit the task."""
    wishes = {name: getattr(recipe, name) for name in recipe.given()}
    plan = replace(defaults, **wishes)
    if recipe.learning_rate is None:
        plan = replace(plan, learning_rate=_converted_rate(defaults, plan.optimizer))
    if recipe.loss is None and plan.loss not in LOSSES[task.kind]:
        plan = replace(plan, loss=LOSSES[task.kind][0])
    if plan.loss not in LOSSES[task.kind]:
        raise TrainingError(
            f"the loss {plan.loss} does not fit the task {task.kind}",
            expected=" | ".join(LOSSES[task.kind]),
            got=plan.loss,
            fix="change training.loss, or leave it out",
        )
    if plan.r_drop > 0 and plan.dropout == 0:
        raise TrainingError(
            "r_drop compares two draws of dropout, and there is no dropout",
            expected="training.dropout above 0",
            got="0",
            fix="set training.dropout to 0.1, or leave training.r_drop out",
        )
    return plan


def _converted_rate(defaults: Plan, optimizer: Optimizer) -> float:
    """Return the family's learning rate in the terms of another optimiser."""
    if (optimizer == "sgd") == (defaults.optimizer == "sgd"):
        return defaults.learning_rate
    return defaults.learning_rate * (SGD_TO_ADAM if optimizer == "sgd" else 1 / SGD_TO_ADAM)
