"""What the lower layers make of texts, kept: nothing of it changes while the upper ones learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from headway.models.lora.network import Tuned
from headway.models.lora.packing import Packed


@dataclass
class Room:
    """Megabytes that are free for states, of all lessons of a course together."""

    left_mb: float


@dataclass
class Kept:
    """States float32 `[length, width]` of texts by their numbers, as long as there is `room` for about as many."""

    room: Room
    found: dict[int, Tensor] = field(default_factory=dict)

    def states(self, network: Tuned, packed: Packed, numbers: Sequence[int]) -> Tensor | None:
        """Return what enters the layers that learn, `[tokens, width]`, for the texts of `packed`; None where all learn.

        `numbers`: by which the texts are known.
        """
        if network.entry == 0:
            return None
        if all(number in self.found for number in numbers):
            return self._joined(packed, numbers)
        states = network.lower_states(packed)
        if self.room.left_mb > 0:
            self._keep(states, packed, numbers)
        return states

    def _joined(self, packed: Packed, numbers: Sequence[int]) -> Tensor:
        texts = [self.found[number] for number in numbers]
        starts = torch.tensor([0, *(len(text) for text in texts)]).cumsum(0)
        row = packed.back // packed.place.shape[1]
        column = packed.back % packed.place.shape[1]
        return torch.cat(texts).index_select(0, starts.to(row.device)[row] + column)

    def _keep(self, states: Tensor, packed: Packed, numbers: Sequence[int]) -> None:
        for row, (number, length) in enumerate(zip(numbers, packed.lengths.tolist(), strict=True)):
            if number not in self.found:
                self.found[number] = states.index_select(0, packed.place[row, :length])
                self.room.left_mb -= self.found[number].numel() * 4 / 1e6
