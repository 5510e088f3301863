"""What the lower layers of an encoder make of each text, kept on disk and read as batches.

A part is one folder, whole or not there: a killed run goes on with the texts that are missing. Texts are known by their
token ids, so that folds and the refit find what an earlier fit computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headway.compute.clock import Clock
from headway.compute.drafts import whole_folder
from headway.errors import TrainingError
from headway.networks.batches import Sequences, sequential

# (ids, mask) -> what enters the upper layers [rows, length, hidden], and pooled outputs [rows, hidden]
Compute = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
BATCH, BATCH_TOKENS = 256, 2_048
# A part is written after so many tokens: not too often, and little is lost when the run is killed.
PART_TOKENS = 60_000
# The largest number of float16: outliers beyond it are cut.
LARGEST = 65_504.0


class StateStore:
    """The states of many texts under one folder, which belongs to one base and one depth."""

    def __init__(self, folder: Path) -> None:
        """Find the parts that are there."""
        self.folder = folder
        self.places: dict[bytes, tuple[int, int]] = {}
        self.parts: list[_Part] = []
        for path in sorted(folder.glob("part-*")):
            self._take_up(path)

    def fill(self, tokens: Sequences, compute: Compute, clock: Clock) -> None:
        """Compute and keep what is missing of `tokens`; raises `TrainingError` when the clock runs out before."""
        keys = keys_of(tokens)
        last = {key: row for row, key in enumerate(keys)}
        missing = [row for key, row in last.items() if key not in self.places]
        rows = tokens.take(np.array(missing, np.int64))
        for group in _groups(rows):
            self._add(rows, group, [keys[missing[row]] for batch in group for row in batch], compute, clock)

    def find(self, tokens: Sequences) -> KeptStates:
        """Return the states of texts that are all here."""
        places = np.array([self.places[key] for key in keys_of(tokens)], np.int64).reshape(-1, 2)
        return KeptStates(tokens, tuple(self.parts), places)

    def _add(self, rows: Sequences, group: list[np.ndarray], keys: list[bytes], compute: Compute, clock: Clock) -> None:
        states, pooled, lengths = [], [], []
        for batch in group:
            if clock.expired:
                raise TrainingError("the time ended while the texts were read by the base", fix="raise budget.time")
            ids, mask = rows.batch(batch, None)
            below, above = compute(ids, mask)
            states.append(_packed(below, mask))
            pooled.append(above.float().cpu().numpy())
            lengths.append(mask.sum(1).numpy())
        path = self.folder / f"part-{len(self.parts):05d}"
        with whole_folder(path) as draft:
            np.save(draft / "states.npy", np.concatenate(states))
            np.save(draft / "pooled.npy", np.concatenate(pooled))
            np.save(draft / "starts.npy", np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64))
            np.save(draft / "keys.npy", np.frombuffer(b"".join(keys), np.uint8).reshape(-1, _KEY))
        self._take_up(path)

    def _take_up(self, path: Path) -> None:
        for row, key in enumerate(np.load(path / "keys.npy")):
            self.places[key.tobytes()] = (len(self.parts), row)
        states, pooled = (np.load(path / f"{name}.npy", mmap_mode="r") for name in ("states", "pooled"))
        self.parts.append(_Part(states, pooled, np.load(path / "starts.npy")))


@dataclass(frozen=True)
class KeptStates:
    """A source of `ids, mask, states`: float32 `[rows, length, hidden]` that enter the upper layers, 0 in the padding.

    `places`: `[n, 2]`, the part that a row is in and its number there.
    """

    tokens: Sequences
    parts: tuple[_Part, ...]
    places: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of tokens of each row."""
        return self.tokens.lengths

    @property
    def pooled(self) -> np.ndarray:
        """Return the pooled outputs of the base as it was, float32 `[n, hidden]`."""
        return np.stack([self.parts[part].pooled[row] for part, row in self.places])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.tokens)

    def take(self, positions: np.ndarray) -> KeptStates:
        """Return the rows at `positions`, in that order."""
        return KeptStates(self.tokens.take(positions), self.parts, self.places[positions])

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        """Return ids, mask and states of the rows at `positions`."""
        ids, mask = self.tokens.batch(positions, augment)
        states = torch.zeros((*ids.shape, self.parts[0].states.shape[1]))
        for row, (number, place) in enumerate(self.places[positions]):
            part = self.parts[number]
            kept = part.states[part.starts[place] : part.starts[place + 1]]
            states[row, : len(kept)] = torch.from_numpy(kept.astype(np.float32))
        return ids, mask, states


@dataclass(frozen=True)
class _Part:
    """`states`: float16 `[tokens, hidden]`; `pooled`: float32 `[texts, hidden]`; `starts`: `[texts + 1]`."""

    states: np.ndarray
    pooled: np.ndarray
    starts: np.ndarray


_KEY = 16


def keys_of(tokens: Sequences) -> list[bytes]:
    """Return what names each text."""
    flat = np.ascontiguousarray(tokens.flat, np.int32)
    pairs = zip(tokens.starts[:-1], tokens.starts[1:], strict=True)
    return [hashlib.blake2b(flat[start:stop].tobytes(), digest_size=_KEY).digest() for start, stop in pairs]


def _groups(rows: Sequences) -> Iterator[list[np.ndarray]]:
    """Yield the batches of each part."""
    group: list[np.ndarray] = []
    tokens = 0
    for batch in sequential(rows, BATCH, BATCH_TOKENS) if len(rows) else []:
        group.append(batch)
        tokens += int(rows.lengths[batch].sum())
        if tokens >= PART_TOKENS:
            yield group
            group, tokens = [], 0
    if group:
        yield group


def _packed(states: Tensor, mask: Tensor) -> np.ndarray:
    """Return the states of tokens without the padding, float16 `[tokens, hidden]`."""
    kept = states.float().cpu()[mask.bool()].clamp(-LARGEST, LARGEST)
    packed: np.ndarray = kept.numpy().astype(np.float16)
    return packed
