"""What a network learns from: pixels, or what its frozen blocks made of them, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.modalities.image.framing import Frame
from headway.models.image_finetune.network import Tuned
from headway.networks.augmentation import Strength, augmented
from headway.networks.batches import Source
from headway.networks.images import Images
from headway.runtime.feeds import encode

BATCH = 32
Columns = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Kept:
    """Activations of each image column, `[views, n, channels, height, width]`; view 0 is the image as it is.

    The other views are of changed copies: a batch for training takes one of them all at random for each row.
    """

    columns: tuple[np.ndarray, ...]
    lengths: None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.columns[0].shape[1])

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        """Return float32 `[b, channels, height, width]` for each column."""
        views = self.columns[0].shape[0]
        taken = np.zeros(len(positions), np.int64) if augment is None else augment.integers(0, views, len(positions))
        return tuple(torch.from_numpy(column[taken, positions].astype(np.float32)) for column in self.columns)


def read_source(
    network: Tuned,
    columns: Columns,
    frame: Frame,
    strength: Strength,
    *,
    views: int,
    exact: bool,
    mirrored: bool,
    seed: int,
    clock: Clock,
) -> Source:
    """Return the cells of each image column as what the network begins with.

    `views`: how many are kept of each image. `exact`: in single instead of half precision. `mirrored`: left and right
    are exchanged. Raises `TrainingError` when
    the clock ends before all are read, and `InputError` for a cell that is no image.
    """
    if network.cut is None:
        pixels = tuple(_pixels(cells, frame, clock) for cells in columns)
        return Images(
            tuple(np.ascontiguousarray(each[:, :, ::-1]) for each in pixels) if mirrored else pixels, strength
        )
    generator = np.random.default_rng(seed)
    kind = np.float32 if exact else np.float16

    def changed(pixels: Tensor, view: int) -> Tensor:
        if view == 0:
            return pixels.flip(2) if mirrored else pixels
        return augmented(pixels, generator, strength)

    return Kept(tuple(_kept(network, cells, frame, changed, views=views, kind=kind, clock=clock) for cells in columns))


def _pixels(cells: Sequence[object], frame: Frame, clock: Clock) -> np.ndarray:
    pixels = np.zeros((len(cells), frame.height, frame.width, 3), np.uint8)
    for start in range(0, len(cells), BATCH):
        _check(clock, start, len(cells))
        pixels[start : start + BATCH] = _decoded(cells[start : start + BATCH], frame)
    return pixels


@torch.inference_mode()
def _kept(
    network: Tuned,
    cells: Sequence[object],
    frame: Frame,
    changed: Callable[[Tensor, int], Tensor],
    *,
    views: int,
    kind: type[np.floating],
    clock: Clock,
) -> np.ndarray:
    kept: np.ndarray | None = None
    for start in range(0, len(cells), BATCH):
        _check(clock, start, len(cells))
        pixels = torch.from_numpy(_decoded(cells[start : start + BATCH], frame))
        for view in range(views):
            x = network.lower(changed(pixels, view)).numpy()
            if kept is None:
                kept = np.zeros((views, len(cells), *x.shape[1:]), kind)
            kept[view, start : start + BATCH] = x
    assert kept is not None
    return kept


def _decoded(cells: Sequence[object], frame: Frame) -> np.ndarray:
    feed = frame.feed("image")
    return encode(feed, {"image": list(cells)}, files={})[feed.name]


def _check(clock: Clock, done: int, images: int) -> None:
    if clock.expired:
        raise TrainingError(
            "the time ended while the images were read",
            expected=f"{images:,} images",
            got=f"{done:,} read",
            fix="raise budget.time",
        )
