"""The heads to start from: each solved over the pooled outputs of the base, on the rows that have its target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from headway.encoders.tuned import Tuned
from headway.models.encoder_finetune.heading import solve_head
from headway.models.encoder_finetune.preparing import Assignment, rows_of_head
from headway.models.encoder_finetune.reading import pooled_of
from headway.models.encoder_multitask.network import Goal
from headway.networks.batches import Columns, Lesson
from headway.networks.device import seeded
from headway.tasks import Several


def start_heads(network: Tuned, texts: Columns, assignment: Assignment, goals: Sequence[Goal]) -> None:
    """Solve the head of each target; one that no row has answers 0."""
    task = assignment.task
    assert isinstance(task, Several)
    rows = rows_of_head(texts, assignment.seed)
    some, chosen = assignment.train.take(rows), texts.take(rows)
    with seeded(assignment.seed):
        pooled = pooled_of(chosen, network)
        for place, (part, goal) in enumerate(zip(task.parts, goals, strict=True)):
            known, y = task.known(some.y, place)
            head = nn.Linear(network.head.in_features, part.task.width)
            if len(known):
                weight = None if some.weight is None else some.weight[known]
                lesson = Lesson(chosen.take(known), y, weight)
                solve_head(head, pooled[known], lesson, part.task, goal.plan, seed=assignment.seed)
            _copy(head, network.head, goal.span, empty=len(known) == 0)


def _copy(head: nn.Linear, into: nn.Linear, span: slice, *, empty: bool) -> None:
    """Put a head into its part of the whole."""
    factor = np.float32(0 if empty else 1)
    with torch.no_grad():
        into.weight[span] = head.weight * float(factor)
        into.bias[span] = head.bias * float(factor)
