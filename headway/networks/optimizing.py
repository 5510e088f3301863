"""Optimisers and learning-rate schedules by their standard names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from headway.networks.adam import Adam
from headway.networks.plan import Plan
from headway.tasks.recipe import Schedule


@runtime_checkable
class Layered(Protocol):
    """A network that knows the order of its layers."""

    def height(self, parameter: str) -> int:
        """Return how many layers stand between the parameter of this name and the outputs, 0 for the head's own."""


def optimizer_of(network: nn.Module, plan: Plan) -> Adam | torch.optim.Optimizer:
    """Return the plan's optimiser; matrices and kernels decay, biases and norms do not.

    Each group carries its `scale`, by which `set_rate` multiplies the learning rate.
    """
    groups = _groups(network, plan)
    if plan.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=plan.learning_rate, momentum=plan.momentum, nesterov=plan.momentum > 0, fused=True
        )
    return Adam(groups, lr=plan.learning_rate, decoupled=plan.optimizer != "adam")


def set_rate(optimizer: Adam | torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every group its share of `learning_rate`."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["scale"]


def _groups(network: nn.Module, plan: Plan) -> list[dict[str, object]]:
    """Return the parameters that learn, by their scale and whether they decay, in a fixed order."""
    groups: dict[tuple[float, bool], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            height = network.height(name) if isinstance(network, Layered) else 0
            groups.setdefault((plan.layer_decay**height, parameter.ndim >= 2), []).append(parameter)
    # Matrices first: the order of groups decides the order of sums in float32, and with it the last bits.
    ordered = sorted(groups.items(), key=lambda item: (-item[0][0], not item[0][1]))
    return [
        {"params": parameters, "weight_decay": plan.weight_decay if decays else 0.0, "scale": scale}
        for (scale, decays), parameters in ordered
    ]


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


def rate(plan: Plan, progress: Progress, *, step: int) -> float:
    """Return the learning rate of a step (from 0): linear warm-up from 0, then the schedule down to 0."""
    scheduled = plan.learning_rate * rate_factor(plan, progress)
    if step >= plan.gentle_steps:
        return scheduled
    return min(scheduled, plan.learning_rate * (step + 0.5) / plan.gentle_steps)


class Scheduled(Protocol):
    """A plan of training: the share of it that warms up, and how the learning rate falls after that."""

    @property
    def warmup(self) -> float:
        """Return the share of training that warms up."""

    @property
    def schedule(self) -> Schedule:
        """Return how the rate falls."""


def rate_factor(plan: Scheduled, progress: Progress) -> float:
    """Return by what the learning rate is multiplied: up from 0 in the warm-up, then down to 0."""
    if progress.done < plan.warmup:
        return progress.done / plan.warmup
    fraction = (progress.done - plan.warmup) / max(1e-9, 1 - plan.warmup)
    factors = {"constant": 1.0, "linear": 1 - fraction, "cosine": (1 + math.cos(math.pi * fraction)) / 2}
    return factors[plan.schedule]
