"""One encoder that learns under several heads, whose losses find their own balance.

Losses are balanced by uncertainty weighting (Kendall, Gal & Cipolla 2018, "Multi-task learning using uncertainty to
weigh losses for scene geometry and semantics", sections 3.2 and 3.3): each target `t` has a learnt log variance
`s_t = log sigma_t^2`, and the loss is the sum of `exp(-s_t) * L_t + s_t / 2`, a squared error counting half. A target
that cannot be told well grows its variance and pulls less at what all of them share. All begin with `s_t = 0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from headway.encoders.tuned import Tuned
from headway.networks import losses
from headway.networks.loop import scale_of
from headway.networks.plan import Plan
from headway.tasks import Several

# Optimisers move every parameter by about their rate a step; log variances have further to go in as many steps.
PACE = 50.0


@dataclass(frozen=True)
class Goal:
    """One target as it is learnt: its plan (the loss above all), and the columns of the outputs that are its head's.

    `scale`: mean and deviation of its values, (0, 1) for labels. `share`: of the rows, those that have the target.
    `weights`: of its labels, float32 `[labels]`, or None.
    """

    plan: Plan
    span: slice
    scale: tuple[float, float]
    share: float
    weights: np.ndarray | None = None


def goals_of(y: np.ndarray, weight: np.ndarray | None, task: Several, plans: Sequence[Plan]) -> tuple[Goal, ...]:
    """Return the targets of `y` `[n, parts]` as they are learnt, `plans` one for each."""
    goals = []
    for place, (part, plan) in enumerate(zip(task.parts, plans, strict=True)):
        rows, own = task.known(y, place)
        weights = None
        if part.task.kind == "classify" and plan.class_weights is not None and len(rows):
            of_rows = losses.row_weights(own, None if weight is None else weight[rows], part.task, plan)
            weights = np.ones(part.task.width, np.float32)
            weights[own] = of_rows if weight is None else of_rows / np.maximum(weight[rows], 1e-6)
        scale = scale_of(own, part.task) if len(rows) else (0.0, 1.0)
        goals.append(Goal(plan, task.spans[place], scale, max(len(rows), 1) / max(1, len(y)), weights))
    return tuple(goals)


def scaled(y: np.ndarray, goals: Sequence[Goal]) -> np.ndarray:
    """Return `[n, parts]` targets with values of mean 0 and deviation 1; class indices and NaN stay."""
    means, deviations = np.array([goal.scale for goal in goals], np.float64).T
    return np.asarray((y - means) / deviations, np.float32)


class Multitask(nn.Module):
    """An encoder with the heads of all targets side by side, `[rows, width]`, and the loss it learns by."""

    def __init__(self, tuned: Tuned, goals: Sequence[Goal]) -> None:
        """Take over `tuned`, whose head is as wide as those of all `goals` together."""
        super().__init__()
        self.tuned = tuned
        self.goals = tuple(goals)
        self.log_variances = nn.Parameter(torch.zeros(len(self.goals)))
        self._losses = [losses.row_loss(goal.plan, smoothing=goal.plan.label_smoothing) for goal in self.goals]

    def forward(self, *arguments: Tensor) -> Tensor:
        """Return the outputs of all heads."""
        outputs: Tensor = self.tuned(*arguments)
        return outputs

    def row_loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the balanced loss of each row, `[b]`, of outputs and scaled targets `[b, parts]`, NaN where missing.

        What a row does not have is not asked of it; a target that few rows have counts as much as one that all have.
        """
        log_variances = PACE * self.log_variances
        total = torch.zeros(len(y), device=outputs.device)
        for place, (goal, loss) in enumerate(zip(self.goals, self._losses, strict=True)):
            rows, wanted = self._known(y, place)
            each = loss(outputs[rows, goal.span], wanted) * _weight_of(goal, wanted)
            half = 0.5 if goal.plan.loss == "mse" else 1.0
            balanced = torch.exp(-log_variances[place]) * half * each + log_variances[place] / 2
            total = total.index_add(0, rows, balanced / goal.share)
        return total

    def row_error(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return how wrong each row is, `[b]`, whatever the balance: errors, or squared distances in variances."""
        total = torch.zeros(len(y), device=outputs.device)
        for place, goal in enumerate(self.goals):
            rows, wanted = self._known(y, place)
            own = outputs[rows, goal.span]
            wrong = (own[:, 0] - wanted).square() if _is_value(goal) else (own.argmax(1) != wanted).float()
            total = total.index_add(0, rows, wrong / goal.share / len(self.goals))
        return total

    def height(self, parameter: str) -> int:
        """Return how many layers stand between a parameter and the heads, see `networks.optimizing.Layered`."""
        return self.tuned.height(parameter.removeprefix("tuned.")) if parameter.startswith("tuned.") else 0

    def is_begun(self, parameter: str) -> bool:
        """Tell whether a parameter is the encoder's or an adapter's, see `networks.mixout.Begun`."""
        return parameter.startswith("tuned.") and self.tuned.is_begun(parameter.removeprefix("tuned."))

    def _known(self, y: Tensor, place: int) -> tuple[Tensor, Tensor]:
        """Return the rows that have a target, and what it is in them."""
        column = y[:, place]
        rows = torch.nonzero(~torch.isnan(column)).squeeze(1)
        wanted = column[rows]
        return rows, wanted if _is_value(self.goals[place]) else wanted.long()


def _is_value(goal: Goal) -> bool:
    return goal.plan.loss in ("mse", "mae", "huber")


def _weight_of(goal: Goal, wanted: Tensor) -> Tensor | float:
    return 1.0 if goal.weights is None else torch.from_numpy(goal.weights).to(wanted.device)[wanted]
