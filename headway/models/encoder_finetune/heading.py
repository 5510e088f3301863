"""The head to start from: the solution over the pooled outputs of the base as it is.

Fine-tuning from a solved head moves the encoder less and ends better than from a random one (Kumar et al. 2022,
"Fine-tuning can distort pretrained features and underperform out-of-distribution", LP-FT).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from headway.networks import losses
from headway.networks.batches import Lesson
from headway.networks.loop import scale_of
from headway.networks.plan import Plan
from headway.tasks import Task

STEPS = 60


def solve_head(head: nn.Linear, pooled: np.ndarray, lesson: Lesson, task: Task, plan: Plan) -> None:
    """Set `head` to the minimum of the plan's mean loss plus |w|^2 / 2n over standardised `pooled` `[n, features]`."""
    mean, deviation = pooled.mean(0), pooled.std(0) + 1e-6
    x = torch.from_numpy(((pooled - mean) / deviation).astype(np.float32))
    wanted = torch.from_numpy(losses.targets_of(lesson.y, task, scale_of(lesson.y, task)))
    rows = torch.from_numpy(losses.row_weights(lesson.y, lesson.weight, task, plan))
    line = nn.Linear(head.in_features, head.out_features)
    nn.init.zeros_(line.weight)
    nn.init.zeros_(line.bias)
    loss_of = losses.row_loss(plan, smoothing=plan.label_smoothing)
    optimizer = torch.optim.LBFGS(line.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = (loss_of(line(x), wanted) * rows).mean() + line.weight.square().sum() / (2 * len(x))
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        head.weight.copy_(line.weight / torch.from_numpy(deviation))
        head.bias.copy_(line.bias - head.weight @ torch.from_numpy(mean))
