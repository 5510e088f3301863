"""Optimisers and learning-rate schedules by their standard names."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headway.networks.plan import Plan


def optimizer_of(network: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """Return the plan's optimiser; matrices and kernels decay, biases and norms do not."""
    weights = decayed(network)
    known = {id(weight) for weight in weights}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
    groups = [{"params": weights, "weight_decay": plan.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=plan.learning_rate, momentum=plan.momentum, nesterov=plan.momentum > 0, fused=True
        )
    kind = torch.optim.Adam if plan.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=plan.learning_rate, fused=True)


def decayed(network: nn.Module) -> list[Tensor]:
    """Return the parameters that L1 and L2 penalties act on."""
    return [p for p in network.parameters() if p.requires_grad and p.ndim >= 2]


@dataclass(frozen=True)
class Progress:
    """How much of training is behind, 0 to 1; it can be told that fewer steps are left than were planned."""

    done: float = 0.0

    def advanced(self, steps_left: int) -> Progress:
        """Return the progress after one of `steps_left` steps."""
        return Progress(self.done + (1 - self.done) / max(1, steps_left))


def rate(plan: Plan, progress: Progress) -> float:
    """Return the learning rate at a point of training: linear warm-up from 0, then the schedule down to 0."""
    if progress.done < plan.warmup:
        return plan.learning_rate * progress.done / plan.warmup
    fraction = (progress.done - plan.warmup) / max(1e-9, 1 - plan.warmup)
    factors = {
        "constant": 1.0,
        "linear": 1 - fraction,
        "cosine": (1 + math.cos(math.pi * fraction)) / 2,
    }
    return plan.learning_rate * factors[plan.schedule]
