"""Features of images, computed once an image and base by the graph that ships, and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.compute.clock import Clock
from headway.compute.vectors import VectorShelf, digest_of
from headway.encoders.images.backbone import PIXELS, Backbone, feature_nodes
from headway.errors import TrainingError
from headway.modalities.image.pixels import image_argument
from headway.package.constants import Constants
from headway.runtime.feeds import encode
from headway.runtime.session import cores, open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Images in memory at a time, and how many are written to the store together: a killed run loses no more.
BATCH, KEPT_TOGETHER = 32, 512
# How often one row is asked for, to know how long it takes.
ASKED = 9
_OUTPUT = "values"


def read_features(
    backbone: Backbone, cells: Sequence[object], *, store: Path | None, clock: Clock, mirrored: bool = False
) -> np.ndarray:
    """Return float32 `[n, width]` features of image cells (paths or bytes; a missing one is black).

    `mirrored`: the mean of those of the image and of its mirror image. Raises `InputError` for a cell that is no
    image, and `TrainingError` when the clock ends before all are read.
    """
    plain = _read_side(backbone, cells, store, clock, side="")
    if not mirrored:
        return plain
    mean: np.ndarray = (plain + _read_side(backbone, cells, store, clock, side="-mirrored")) / 2
    return mean


def count_unread(backbone: Backbone, cells: Sequence[object], *, store: Path | None) -> int:
    """Return how many of the cells have no features in the store."""
    shelf = _shelf(backbone, store, "")
    return len(cells) if shelf is None else int((~shelf.find([content_key(cell) for cell in cells])[1]).sum())


def seconds_an_image(backbone: Backbone, cells: Sequence[object]) -> float:
    """Return what decoding and encoding one image takes here, from a few cells that are read for real."""
    taken = []
    session = _session(backbone)
    for start in range(0, max(1, len(cells)), 8):
        few = cells[start : start + 8]
        began = time.perf_counter()
        _encode(session, backbone, few, mirrored=False)
        taken.append((time.perf_counter() - began) / max(1, len(few)))
    # The first batch also warms up.
    return float(np.median(taken[1:] or taken))


def seconds_a_row(backbone: Backbone, images: int) -> float:
    """Return what encoding the images of one row takes here, when they are asked for alone."""
    session, frame = _session(backbone), backbone.frame
    pixels = np.zeros((images, frame.height, frame.width, 3), np.uint8)
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        session.run([_OUTPUT], {PIXELS: pixels})
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def content_key(cell: object) -> bytes:
    """Return what names an image by its content, wherever it lies."""
    if isinstance(cell, bytes):
        return digest_of(cell)
    if isinstance(cell, str) and cell:
        try:
            return digest_of(Path(cell).read_bytes())
        except OSError:
            return digest_of(cell.encode())  # decoding it says what is wrong
    return digest_of(b"")


def _read_side(
    backbone: Backbone, cells: Sequence[object], store: Path | None, clock: Clock, *, side: str
) -> np.ndarray:
    keys = [content_key(cell) for cell in cells]
    shelf = _shelf(backbone, store, side)
    features, known = (np.zeros((len(keys), backbone.width), np.float32), np.zeros(len(keys), np.bool_))
    if shelf is not None:
        features, known = shelf.find(keys)
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    unread = [row for row, key in enumerate(keys) if not known[row] and first[key] == row]
    for start in range(0, len(unread), KEPT_TOGETHER):
        rows = unread[start : start + KEPT_TOGETHER]
        for begin in range(0, len(rows), BATCH):
            if clock.expired:
                raise _too_late(len(unread), start + begin)
            part = rows[begin : begin + BATCH]
            mirrored = bool(side)
            features[part] = _encode(_session(backbone), backbone, [cells[row] for row in part], mirrored=mirrored)
        if shelf is not None:
            shelf.add([keys[row] for row in rows], features[rows])
    repeated = [row for row, key in enumerate(keys) if not known[row] and first[key] != row]
    features[repeated] = features[[first[keys[row]] for row in repeated]]
    return features


def _encode(session: InferenceSession, backbone: Backbone, cells: Sequence[object], *, mirrored: bool) -> np.ndarray:
    feed = backbone.frame.feed("image")
    pixels = encode(feed, {"image": list(cells)}, files={})[feed.name]
    pixels = np.ascontiguousarray(pixels[:, :, ::-1]) if mirrored else pixels
    features: np.ndarray = session.run([_OUTPUT], {PIXELS: pixels})[0]
    return features


@lru_cache(maxsize=2)
def _session(backbone: Backbone) -> InferenceSession:
    """Return the encoder from uint8 pixels on, as it ships."""
    constants, pixels = Constants(), image_argument(backbone.frame)
    features = feature_nodes(
        backbone.onnx, {PIXELS: pixels}, constants, picture=backbone.picture, width=backbone.width, mirrored=False
    )
    return open_session(constants.build({PIXELS: pixels}, {_OUTPUT: features}), threads=cores())


def _shelf(backbone: Backbone, store: Path | None, side: str) -> VectorShelf | None:
    """Return where features of this very encoder are kept; one without a digest has no place."""
    if store is None or backbone.digest.startswith("-"):
        return None
    return VectorShelf(store / "images" / f"{backbone.digest}{side}", backbone.width)


def _too_late(images: int, read: int) -> TrainingError:
    return TrainingError(
        "the time ended while the base read the images",
        expected=f"features of {images:,} images",
        got=f"{read:,} read; what is read is kept for the next run",
        fix="raise budget.time",
    )
