"""Mixout: in every step a share of the weights stands where they began, and the others so much further away.

What a network expects of its weights stays the same, and what it knew before is not forgotten (Lee, Cho & Kang 2020,
"Mixout: Effective regularization to finetune large-scale pretrained language models", section 3). The head knows
nothing before and is left alone. Outside of steps the network is the plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, runtime_checkable

import torch
from torch import nn


@runtime_checkable
class Begun(Protocol):
    """A network that goes on from one that was pretrained."""

    def is_begun(self, parameter: str) -> bool:
        """Tell whether the parameter of this name was learnt before, or stands beside one that was."""


def mixing(network: nn.Module, share: float) -> Callable[[], AbstractContextManager[None]]:
    """Return what is held open during the backward passes of a step, so that matrices of `network` are mixed in it.

    They are mixed with what they are now. `share`: of the numbers of a matrix, those that stand at their beginning; 0
    for none. A network that is not `Begun` has none to mix.
    """
    if share == 0 or not isinstance(network, Begun):
        return nullcontext
    learning = [each for each in network.named_parameters() if each[1].requires_grad and each[1].ndim >= 2]
    matrices = [(matrix, matrix.detach().clone()) for name, matrix in learning if network.is_begun(name)]

    @contextmanager
    def mixed() -> Iterator[None]:
        drawn = [(matrix, matrix.data, _stretch(matrix, share)) for matrix, _ in matrices]
        for (matrix, own, stretch), (_, beginning) in zip(drawn, matrices, strict=True):
            matrix.data = torch.lerp(beginning, own, stretch)
        try:
            yield
        finally:
            for matrix, own, stretch in drawn:
                matrix.data = own
                if matrix.grad is not None:
                    matrix.grad.mul_(stretch)

    return mixed


def _stretch(matrix: torch.Tensor, share: float) -> torch.Tensor:
    """Return how far each number is from its beginning: not at all, or so much further that the mean is its own."""
    return (torch.rand_like(matrix) >= share).to(matrix.dtype) / (1 - share)
