"""Muon: a matrix steps along its momentum, orthogonalised (Jordan et al. 2024).

torch has one too; it works in bfloat16, which is slow on processors that lack it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95
# The polynomial of Jordan et al.: five rounds bring all singular values near 1.
POLYNOMIAL, ROUNDS = (3.4445, -4.7750, 2.0315), 5


class Muon(torch.optim.Optimizer):
    """Steps of equal size in all directions of a matrix; `lr` is as AdamW's by the factor .2 sqrt(longer side).

    (Liu et al. 2025, "Muon is scalable for LLM training", section 2.2: the step's root mean square is that of AdamW.)
    """

    def __init__(self, parameters: Iterable[Tensor], *, lr: float, weight_decay: float = 0.0) -> None:
        """Take matrices only."""
        super().__init__(list(parameters), {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step; matrices of one shape are orthogonalised together."""
        assert closure is None
        for group in self.param_groups:
            for alike in by_shape(group["params"]):
                directions = torch.stack([self._direction(parameter) for parameter in alike])
                size = group["lr"] * 0.2 * max(directions.shape[1:]) ** 0.5
                for parameter, direction in zip(alike, orthogonal(directions), strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-size)

    def _direction(self, parameter: Tensor) -> Tensor:
        """Return the gradient with Nesterov's momentum."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"]
        momentum.lerp_(parameter.grad, 1 - MOMENTUM)
        return parameter.grad.lerp(momentum, MOMENTUM)


def by_shape(parameters: list[Tensor]) -> list[list[Tensor]]:
    """Return parameters with a gradient in groups of one shape."""
    groups: dict[torch.Size, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            groups.setdefault(parameter.shape, []).append(parameter)
    return list(groups.values())


def orthogonal(matrices: Tensor) -> Tensor:
    """Return `[n, rows, columns]` with singular values near 1, by Newton and Schulz's iteration."""
    a, b, c = POLYNOMIAL
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
