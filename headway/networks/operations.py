"""Parts of a decoder between its products, with gradients in few passes over memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def rms_norm(states: Tensor, scale: Tensor, epsilon: float) -> Tensor:
    """Return RMSNorm (Zhang and Sennrich 2019, eq. 4) of `[..., width]`; `scale` may learn."""
    return _RmsNorm.apply(states, scale, epsilon)  # type: ignore[no-any-return, no-untyped-call]


def swiglu(both: Tensor) -> Tensor:
    """Return `[..., hidden]` of gates and values side by side (Shazeer 2020, eq. 5)."""
    return _SwiGlu.apply(both)  # type: ignore[no-any-return, no-untyped-call]


def rotated(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the first half of each head's numbers against the second (Su et al. 2021, section 3.2.2).

    `states`: `[..., width]`; `cosine`, `sine`: what fits the halves of that, such as `[tokens, 1, width / 2]`.
    """
    return _Rotated.apply(states, cosine, sine)  # type: ignore[no-any-return, no-untyped-call]


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, scale: Tensor, epsilon: float) -> Tensor:
        squares = torch.linalg.vector_norm(states, dim=-1, keepdim=True).square_()
        inverse: Tensor = squares.div_(states.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(states, scale, inverse)
        return (states * inverse).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, None]:
        states, scale, inverse = ctx.saved_tensors
        to_scale = None
        if ctx.needs_input_grad[1]:
            to_scale = (gradients[0] * states).mul_(inverse).flatten(0, -2).sum(0)
        scaled = gradients[0] * scale
        along = torch.linalg.vecdot(scaled, states).unsqueeze(-1).mul_(inverse.pow(3)).div_(-states.shape[-1])
        return scaled.mul_(inverse).addcmul_(states, along), to_scale, None


class _SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        values: Tensor = torch.nn.functional.silu(gate)
        return values.mul_(up)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        found = torch.empty_like(both)
        to_gate, to_up = found.chunk(2, dim=-1)
        to_gate.copy_(torch.ops.aten.silu_backward(gradients[0] * up, gate))
        torch.mul(gradients[0], torch.nn.functional.silu(gate), out=to_up)
        return found


class _Rotated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _turn(states, cosine, sine)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        return _turn(gradients[0], cosine, -sine), None, None


def _turn(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = states.chunk(2, dim=-1)
    found = torch.empty(states.shape, dtype=states.dtype, device=states.device)
    left, right = found.chunk(2, dim=-1)
    torch.mul(first, cosine, out=left)
    left.addcmul_(second, sine, value=-1)
    torch.mul(second, cosine, out=right)
    right.addcmul_(first, sine)
    return found
