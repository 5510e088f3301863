"""Muon: a matrix steps along its momentum, orthogonalised (Jordan et al. 2024).

torch has one too; it works in bfloat16, which is slow on processors that lack it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95
# One odd polynomial a round (Amsel et al. 2025, "The Polar Express", table 1): five bring all singular values above a
# thousandth of the largest near 1, nearer than five rounds of one polynomial for all.
POLYNOMIALS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
)
# The first polynomial turns on values above 1, which rounding alone could reach.
MARGIN = 1.01


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
    """Return `[n, rows, columns]` with singular values near 1 and the same singular vectors.

    All rounds together are one factor of the shorter side's square, a polynomial in `x x^T`: so only the first and the
    last product have the longer side, which halves the work on a layer of this decoder.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (MARGIN * x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    square, factor = x @ x.mT, None
    for number, (a, b, c) in enumerate(POLYNOMIALS):
        turn = torch.baddbmm(square, square, square, beta=b, alpha=c)
        turn.diagonal(dim1=1, dim2=2).add_(a)
        factor = turn if factor is None else turn @ factor
        if number + 1 < len(POLYNOMIALS):
            square = turn @ square @ turn
    found: Tensor = factor @ x
    return found.mT if tall else found
