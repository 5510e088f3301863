"""Where batches come from: inputs by position, and the order in which an epoch visits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

# Length-bucketed epochs sort within pools of this many batches: little padding, still a new mixture every epoch.
POOL = 50


class Source(Protocol):
    """Inputs of a network, `[n]` rows."""

    @property
    def lengths(self) -> np.ndarray | None:
        """Return the length of each row where rows are padded to the longest of their batch, or None."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        """Return the arguments of the network for the rows at `positions`.

        `augment` is given in training only, and only when the plan wants augmentation.
        """


class Tokens(Source, Protocol):
    """Rows of tokens, each of its own length."""

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of tokens of each row."""

    def take(self, positions: np.ndarray) -> Tokens:
        """Return the rows at `positions`, in that order."""


@dataclass(frozen=True)
class Lesson:
    """What a network learns or is examined from: inputs, targets (int64 indices or float32), weights or None."""

    source: Source
    y: np.ndarray
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)


@dataclass(frozen=True)
class Arrays:
    """Inputs of a fixed size: each array is `[n, ...]` and becomes one argument of the network."""

    arrays: tuple[np.ndarray, ...]
    lengths: None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.arrays[0])

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return the rows at `positions`."""
        return tuple(torch.from_numpy(array[positions]) for array in self.arrays)


@dataclass(frozen=True)
class Sequences:
    """Rows of token ids of different lengths, kept end to end; batches are padded to their longest row.

    `flat`: `[total]` ids; `starts`: `[n + 1]` where each row begins. A batch is `ids, mask`, both int64
    `[b, longest]`, mask 1 on tokens; a row is at least one (padding) position long.
    """

    flat: np.ndarray
    starts: np.ndarray
    pad: int = 0

    @classmethod
    def of(cls, ids: np.ndarray, mask: np.ndarray, pad: int = 0) -> Sequences:
        """Take right-padded `ids` and `mask`, both `[n, longest]`."""
        kept = mask.astype(bool)
        return cls(ids[kept], np.concatenate([[0], np.cumsum(kept.sum(1))]), pad)

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of tokens of each row."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    def take(self, positions: np.ndarray) -> Sequences:
        """Return the rows at `positions`, in that order."""
        pieces = [self.flat[self.starts[row] : self.starts[row + 1]] for row in positions]
        flat = np.concatenate(pieces) if pieces else self.flat[:0]
        return Sequences(flat, np.concatenate([[0], np.cumsum(self.lengths[positions])]), self.pad)

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return ids and mask of the rows at `positions`."""
        starts, lengths = self.starts[positions], self.starts[positions + 1] - self.starts[positions]
        steps = np.arange(max(1, int(lengths.max(initial=0))))
        mask = steps < lengths[:, None]
        ids = np.full(mask.shape, self.pad, dtype=np.int64)
        ids[mask] = self.flat[(starts[:, None] + steps)[mask]]
        return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))


@dataclass(frozen=True)
class Columns:
    """The tokens of several text columns; a batch is what each column gives in turn."""

    parts: tuple[Tokens, ...]

    def take(self, positions: np.ndarray) -> Columns:
        """Return the rows at `positions`, in that order."""
        return Columns(tuple(part.take(positions) for part in self.parts))

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of tokens of each row, over all columns."""
        return np.asarray(np.sum([part.lengths for part in self.parts], axis=0))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.parts[0])

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        """Return the arguments for each column in turn, for the rows at `positions`."""
        return tuple(tensor for part in self.parts for tensor in part.batch(positions, augment))


def shuffled(source: Source, size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Return the positions of one epoch's batches; rows of like length share a batch where lengths differ.

    A last batch of one row is joined to the one before it, because batch norm cannot learn from one row.
    """
    order = generator.permutation(len(source))
    if source.lengths is not None:
        pools = [order[start : start + size * POOL] for start in range(0, len(order), size * POOL)]
        order = np.concatenate([pool[np.argsort(source.lengths[pool], kind="stable")] for pool in pools])
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    if source.lengths is not None:
        batches = [batches[index] for index in generator.permutation(len(batches))]
    return batches


def sequential(source: Source, size: int, tokens: int = 0) -> list[np.ndarray]:
    """Return the positions of batches for evaluation, sorted by length where lengths differ.

    With `tokens`, a batch has at most so many tokens, padding included, or a single row.
    """
    order = np.arange(len(source)) if source.lengths is None else np.argsort(source.lengths, kind="stable")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return [part for batch in batches for part in parts_of(source, batch, tokens)]


def parts_of(source: Source, positions: np.ndarray, tokens: int) -> list[np.ndarray]:
    """Divide a batch into parts of at most `tokens` tokens, padding included, or a single row; 0 leaves it whole."""
    lengths = source.lengths
    if tokens <= 0 or lengths is None:
        return [positions]
    order = positions[np.argsort(lengths[positions], kind="stable")]
    parts, start = [], 0
    for stop in range(1, len(order) + 1):
        # Sorted by length: the row that would come next is the longest of its part.
        if stop == len(order) or (stop + 1 - start) * int(lengths[order[stop]]) > tokens:
            parts.append(order[start:stop])
            start = stop
    return parts
