"""A linear map that stays as it is, with a low-rank change beside it (Hu et al. 2022, section 4.1).

Maps that read the same states are one map here (queries, keys, values; gate and up), each with an adapter of its own.
The change is added to a copy of the weights once a step: one product then does what the map and its adapter would do in
three, and what is trained is bit for bit what is merged. Gradients of the adapter come from what the map read and from
the gradient of what it gave, `[tokens, rank]` numbers at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Frozen(Protocol):
    """Where the weights of maps that are one here come from; they may be kept in few bits."""

    def parts(self) -> Sequence[Tensor]:
        """Return those of each map in full, `[out, in]`."""


class Dense:
    """Weights as they are: references, no copies."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        """Hold `[out, in]` of each map."""
        self._weights = tuple(weights)

    def parts(self) -> Sequence[Tensor]:
        """Return them."""
        return self._weights


class Fixed(nn.Module):
    """`[tokens, in]` -> `[tokens, out]` by maps that are one here and have no adapter; no weights are copied."""

    def __init__(self, frozen: Frozen, bias: Tensor | None, *, dtype: torch.dtype) -> None:
        """Take the weights of each map."""
        super().__init__()
        self.frozen, self.bias, self.dtype = frozen, None if bias is None else bias.to(dtype), dtype

    def forward(self, states: Tensor) -> Tensor:
        """Return what the maps give, side by side."""
        read = states.to(self.dtype)
        parts = [torch.nn.functional.linear(read, weight.to(self.dtype)) for weight in self.frozen.parts()]
        found = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return (found if self.bias is None else found + self.bias).to(states.dtype)


class Adapted(nn.Module):
    """`[tokens, in]` -> `[tokens, out]`; `parts` are the outputs of each of the maps that are one here."""

    def __init__(
        self, frozen: Frozen, bias: Tensor | None, *, rank: int, alpha: float, dtype: torch.dtype, copies: bool = True
    ) -> None:
        """Draw the first factors as PEFT does; the second ones are 0, so that nothing is changed yet.

        Without `copies` the weights are made anew whenever they are read, which is slow and takes no memory.
        """
        super().__init__()
        weights = frozen.parts()
        self.frozen, self.rank, self.scale, self.dtype = frozen, rank, alpha / rank, dtype
        self.parts = [len(each) for each in weights]
        inside, device = weights[0].shape[1], weights[0].device
        self.bias: Tensor | None = None if bias is None else bias.to(device, dtype)
        self.down = nn.Parameter(torch.empty(len(weights) * rank, inside, device=device))
        self.up = nn.Parameter(torch.zeros(sum(self.parts), rank, device=device))
        for part in torch.split(self.down, rank):
            nn.init.kaiming_uniform_(part, a=5**0.5)
        self.merged: Tensor | None = None
        if copies:
            self.merged = torch.empty(sum(self.parts), inside, dtype=dtype, device=device)
            self.merge()

    def forward(self, states: Tensor) -> Tensor:
        """Return what the changed map gives."""
        return _Product.apply(states, self.down, self.up, self)  # type: ignore[no-any-return, no-untyped-call]

    @torch.no_grad()
    def merge(self) -> None:
        """Bring the copy of the weights up to date; to be called after every change of the adapter."""
        if self.merged is not None:
            self._write(self.merged)

    def weight(self) -> Tensor:
        """Return the weights with the change, `[out, in]`."""
        if self.merged is not None:
            return self.merged
        fresh = torch.empty(sum(self.parts), self.down.shape[1], dtype=self.dtype, device=self.down.device)
        with torch.no_grad():
            return self._write(fresh)

    def _write(self, target: Tensor) -> Tensor:
        ups, downs = torch.split(self.up, self.parts), torch.split(self.down, self.rank)
        parts = zip(torch.split(target, self.parts), self.frozen.parts(), ups, downs, strict=True)
        for rows, weight, up, down in parts:
            if target.dtype == weight.dtype:
                torch.addmm(weight, up, down, alpha=self.scale, out=rows)
            else:
                rows.copy_(torch.addmm(weight, up, down, alpha=self.scale))
        return target


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, down: Tensor, up: Tensor, owner: Adapted) -> Tensor:
        read = states.to(owner.dtype)
        ctx.save_for_backward(read, down, up)
        ctx.owner = owner
        return torch.nn.functional.linear(read, owner.weight(), owner.bias).to(states.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        read, down, up = ctx.saved_tensors
        owner: Adapted = ctx.owner
        given = gradients[0].to(owner.dtype)
        to_states = (given @ owner.weight()).to(gradients[0].dtype) if ctx.needs_input_grad[0] else None
        narrow = torch.split(read @ down.to(owner.dtype).T, owner.rank, dim=1)
        ups = torch.split(up.to(owner.dtype), owner.parts)
        parts = zip(torch.split(given, owner.parts, dim=1), ups, narrow, strict=True)
        to_up, back = [], []
        for part, factor, small in parts:
            to_up.append(part.T @ small)
            back.append(part @ factor)
        to_down = torch.cat(back, dim=1).T @ read
        return to_states, to_down.float().mul_(owner.scale), torch.cat(to_up).float().mul_(owner.scale), None
