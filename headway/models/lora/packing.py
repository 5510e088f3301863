"""Texts of a batch laid end to end, without padding, and what texts begin with in common read only once.

Linear maps see `[tokens, width]`. Attention alone needs rows: tokens are spread over them, each row sees its own past,
and what comes out is collected again. A token that stands at the same place after the same tokens has the same states
in every text (attention looks back only), so a beginning that texts share, such as a system prompt, is one run of
tokens; its gradient is the sum over the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Packed:
    """Texts as one run of tokens.

    `ids`, `positions`: int64 `[tokens]`; `lengths`: int64 `[texts]`; `place`: int64 `[texts, longest]`, which token
    stands where in a text (0 behind its end); `back`: int64 `[tokens]`, where in the flattened `place` a token stands
    first; `again`: the further places of shared tokens, `shared` which tokens they are.
    """

    ids: Tensor
    positions: Tensor
    lengths: Tensor
    place: Tensor
    back: Tensor
    again: Tensor
    shared: Tensor

    @property
    def is_plain(self) -> bool:
        """Tell whether the texts are equally long and share nothing, so that rows are the run itself."""
        return self.place.numel() == self.ids.numel()

    def to(self, device: torch.device) -> Packed:
        """Return the same on a device."""
        return Packed(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def pack(texts: Sequence[np.ndarray]) -> Packed:
    """Return texts (int `[length]` each, none empty) as one run."""
    alike = _laid(texts, sorted(range(len(texts)), key=lambda number: texts[number].tolist()))
    # Nothing is shared in any order then, and in their own the rows are the run itself.
    return _laid(texts, range(len(texts))) if alike.is_plain else alike


def _laid(texts: Sequence[np.ndarray], order: Sequence[int]) -> Packed:
    """Return texts in an `order` in which those that begin alike stand together."""
    longest = max(map(len, texts))
    place = np.zeros((len(texts), longest), np.int64)
    parts: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    firsts: list[np.ndarray] = []
    agains: list[np.ndarray] = []
    total, before = 0, np.empty(0, np.int64)
    places_before = np.empty(0, np.int64)
    for number in order:
        text = texts[number]
        common = common_start(before, text)
        places = np.concatenate([places_before[:common], np.arange(total, total + len(text) - common)])
        place[number, : len(text)] = places
        parts.append(text[common:])
        positions.append(np.arange(common, len(text)))
        at = number * longest + np.arange(len(text))
        firsts.append(at[common:])
        agains.append(at[:common])
        total, before, places_before = total + len(text) - common, text, places
    again = np.concatenate(agains)
    lengths = np.array([len(text) for text in texts])
    arrays = (np.concatenate(parts), np.concatenate(positions), lengths, place, np.concatenate(firsts), again)
    return Packed(*(torch.from_numpy(each.astype(np.int64)) for each in (*arrays, place.reshape(-1)[again])))


def common_start(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many tokens two texts begin with in common."""
    length = min(len(one), len(other))
    differ = np.flatnonzero(one[:length] != other[:length])
    return int(differ[0]) if len(differ) else length


def spread(states: Tensor, packed: Packed) -> Tensor:
    """Return `[tokens, width]` as rows `[texts, longest, width]`."""
    if packed.is_plain:
        return states.view(*packed.place.shape, -1)
    return _Spread.apply(states, packed)  # type: ignore[no-any-return, no-untyped-call]


def collect(rows: Tensor, packed: Packed) -> Tensor:
    """Return rows `[texts, longest, width]` as `[tokens, width]`."""
    flat = rows.reshape(packed.place.numel(), -1)
    return flat if packed.is_plain else _Collect.apply(flat, packed)  # type: ignore[no-untyped-call]


class _Spread(torch.autograd.Function):
    """Rows by place; back, every place but a token's first is added to it."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, packed: Packed) -> Tensor:
        ctx.packed = packed
        return states.index_select(0, packed.place.view(-1)).view(*packed.place.shape, -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        packed = ctx.packed
        flat = gradients[0].reshape(packed.place.numel(), -1)
        found = flat.index_select(0, packed.back)
        if len(packed.again):
            found.index_add_(0, packed.shared, flat.index_select(0, packed.again))
        return found, None


class _Collect(torch.autograd.Function):
    """Tokens by the first place where they stand; what the other places hold nobody reads."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, packed: Packed) -> Tensor:
        ctx.packed, ctx.shape = packed, flat.shape
        return flat.index_select(0, packed.back)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        found = gradients[0].new_zeros(ctx.shape)
        return found.index_copy_(0, ctx.packed.back, gradients[0]), None
