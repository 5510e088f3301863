"""The loss of the tokens that answers are made of, and of no others: the vocabulary is the widest map of all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Tokens whose chances over the whole vocabulary are in memory at once.
CHUNK = 256


def weighted_nats(states: Tensor, table: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of `weights * -log p(label)`; its gradient is made beside it, so that no logits are kept.

    `states`: `[answers, width]`; `table`: `[vocabulary, width]`; `labels`: int64, `weights`: float32 `[answers]`.
    """
    return _WeightedNats.apply(states, table, labels, weights)  # type: ignore[no-any-return, no-untyped-call]


@torch.no_grad()
def nats_of(states: Tensor, table: Tensor, labels: Tensor) -> Tensor:
    """Return `-log p(label)` of each, float32 `[answers]`."""
    found = [
        torch.nn.functional.cross_entropy((part.to(table.dtype) @ table.T).float(), wanted, reduction="none")
        for part, wanted in zip(torch.split(states, CHUNK), torch.split(labels, CHUNK), strict=True)
    ]
    return torch.cat(found) if found else states.new_zeros(0)


class _WeightedNats(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        gradient = torch.empty_like(states)
        total = states.new_zeros(())
        for start in range(0, len(states), CHUNK):
            stop = start + CHUNK
            part, wanted, weight = states[start:stop].to(table.dtype), labels[start:stop, None], weights[start:stop]
            logits = (part @ table.T).float()
            normal = torch.logsumexp(logits, dim=1, keepdim=True)
            total += ((normal - logits.gather(1, wanted)).squeeze(1) * weight).sum()
            chances = logits.sub_(normal).exp_().mul_(weight[:, None])
            chances.scatter_add_(1, wanted, -weight[:, None])
            gradient[start:stop] = chances.to(table.dtype) @ table
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0], None, None, None
