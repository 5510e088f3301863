"""The head to start from: the solution over the pooled outputs of the base as it is.

Fine-tuning from a solved head moves the encoder less and ends better than from a random one (Kumar et al. 2022,
"Fine-tuning can distort pretrained features and underperform out-of-distribution", LP-FT).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from headway.networks import losses
from headway.networks.batches import Lesson
from headway.networks.loop import scale_of
from headway.networks.plan import Plan
from headway.tasks import Task

STEPS = 60
# Penalties to choose from, strongest first; which one is right hangs on the base, the texts and how many there are.
PENALTIES = (1_000.0, 100.0, 10.0, 1.0)
# The choice is made on so many rows at the most, in so many parts.
CHOICE_ROWS, PARTS = 2_000, 3


def solve_head(head: nn.Linear, pooled: np.ndarray, lesson: Lesson, task: Task, plan: Plan, *, seed: int) -> None:
    """Set `head` to the minimum of the plan's mean loss plus `penalty * |w|^2 / 2n` over standardised `pooled`.

    `pooled`: `[n, features]`. The penalty is the one with the least loss on rows left out.
    """
    mean, deviation = pooled.mean(0), pooled.std(0) + 1e-6
    wanted = torch.from_numpy(losses.targets_of(lesson.y, task, scale_of(lesson.y, task)))
    weight = torch.from_numpy(losses.row_weights(lesson.y, lesson.weight, task, plan))
    rows = _Rows(torch.from_numpy(((pooled - mean) / deviation).astype(np.float32)), wanted, weight)
    line = _zero(head)
    _solve(line, rows, _chosen_penalty(head, rows, plan, seed), plan)
    with torch.no_grad():
        head.weight.copy_(line.weight / torch.from_numpy(deviation))
        head.bias.copy_(line.bias - head.weight @ torch.from_numpy(mean))


@dataclass(frozen=True)
class _Rows:
    """Standardised features `[n, features]`, targets and weights `[n]`."""

    x: Tensor
    wanted: Tensor
    weight: Tensor

    def take(self, positions: np.ndarray) -> _Rows:
        """Return some of the rows."""
        chosen = torch.from_numpy(positions)
        return _Rows(self.x[chosen], self.wanted[chosen], self.weight[chosen])


def _chosen_penalty(head: nn.Linear, rows: _Rows, plan: Plan, seed: int) -> float:
    """Return the penalty with the least loss on parts that were left out; the strongest where rows are too few."""
    order = np.random.default_rng(seed).permutation(len(rows.x))[:CHOICE_ROWS]
    parts = np.array_split(order, PARTS)
    if len(order) < 2 * PARTS:
        return PENALTIES[0]
    totals = np.zeros(len(PENALTIES))
    for number, part in enumerate(parts):
        others = rows.take(np.concatenate([other for index, other in enumerate(parts) if index != number]))
        left_out, line = rows.take(part), _zero(head)
        for place, penalty in enumerate(PENALTIES):  # each from the solution of the one before
            _solve(line, others, penalty, plan)
            with torch.no_grad():
                totals[place] += float(_loss(line, left_out, plan)) * len(part)
    return PENALTIES[int(totals.argmin())]


def _solve(line: nn.Linear, rows: _Rows, penalty: float, plan: Plan) -> None:
    """Move `line` to the minimum."""
    optimizer = torch.optim.LBFGS(line.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = _loss(line, rows, plan) + penalty * line.weight.square().sum() / (2 * len(rows.x))
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def _loss(line: nn.Linear, rows: _Rows, plan: Plan) -> Tensor:
    """Return the plan's weighted mean loss."""
    each = losses.row_loss(plan, smoothing=plan.label_smoothing)(line(rows.x), rows.wanted)
    return (each * rows.weight).mean()


def _zero(head: nn.Linear) -> nn.Linear:
    """Return a map of the shape of `head` that answers 0."""
    line = nn.Linear(head.in_features, head.out_features)
    nn.init.zeros_(line.weight)
    nn.init.zeros_(line.bias)
    return line
