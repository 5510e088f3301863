"""Standardised pixels: fitted on arrays, done by ONNX nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, Var, argument

from headway.modalities.image.framing import Frame

# Enough pixels to know a mean by; more would only cost time.
SAMPLE = 2000


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation of each channel, on the scale 0 to 255."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def standard_of(columns: tuple[np.ndarray, ...]) -> Standard:
    """Measure pixels, one uint8 array `[n, height, width, channels]` per image column."""
    channels = columns[0].shape[3]
    sample = np.concatenate([pixels[:: max(1, len(pixels) // SAMPLE)].reshape(-1, channels) for pixels in columns])
    mean = sample.mean(axis=0, dtype=np.float64)
    deviation = sample.std(axis=0, dtype=np.float64)
    return Standard(tuple(map(float, mean)), tuple(float(value) if value > 1 else 1.0 for value in deviation))


def image_argument(frame: Frame) -> Var:
    """Return the graph input of one image column, uint8 `[rows, height, width, channels]`."""
    return argument(Tensor(np.uint8, ("rows", frame.height, frame.width, 1 if frame.mode == "L" else 3)))


def standardised(pixels: Var, standard: Standard) -> Var:
    """Return float32 `[rows, channels, height, width]` with mean 0 and deviation 1 on the training pixels."""
    x = op.transpose(op.cast(pixels, to=np.float32), perm=[0, 3, 1, 2])
    mean, deviation = (
        op.const(np.asarray(part, dtype=np.float32).reshape(-1, 1, 1)) for part in (standard.mean, standard.deviation)
    )
    return op.div(op.sub(x, mean), deviation)
