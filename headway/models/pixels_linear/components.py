"""Pixels as few, equally spread numbers: pooled by ONNX nodes, then principal components."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnxruntime
import spox.opset.ai.onnx.v21 as op
from spox import Var, build

from headway.modalities.image.framing import Frame
from headway.modalities.image.pixels import Standard, image_argument, standardised

# Pooled pixels of one image; more cost time and add little to a linear model.
MOST_PIXELS = 1100
# Components kept: at most so many, and none that carries less than this share of the variance of the largest.
MOST_COMPONENTS = 300
SMALLEST_SHARE = 1e-5
# Added to each variance before scaling, as a share of the largest: 0 would whiten.
LEVELLED = 0.3
BATCH = 512


@dataclass(frozen=True)
class Components:
    """`z = (x - mean) @ axes`: x `[n, pixels]`, axes `[pixels, components]`, z of variance 1 or less."""

    mean: np.ndarray
    axes: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return float32 `[n, components]`."""
        return np.asarray((x - self.mean) @ self.axes)


def components_of(x: np.ndarray) -> Components:
    """Find principal components, scaled down to like spread (small ones are raised less, they are mostly noise)."""
    mean = x.mean(axis=0)
    centred = (x - mean).astype(np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = min(MOST_COMPONENTS, len(x) - 1, max(1, int((values > SMALLEST_SHARE * max(values[0], 1e-12)).sum())))
    kept = max(1, kept)
    scale = 1 / np.sqrt(np.maximum(values[:kept], 0) + LEVELLED * max(values[0], 1e-12))
    return Components(mean.astype(np.float32), (vectors[:, :kept] * scale).astype(np.float32))


def pooled(pixels: Var, standard: Standard, frame: Frame) -> Var:
    """Return float32 `[rows, pooled pixels]`: standardised, averaged over squares, flattened."""
    channels = 1 if frame.mode == "L" else 3
    side = math.ceil(math.sqrt(frame.width * frame.height * channels / MOST_PIXELS))
    x = standardised(pixels, standard)
    if side > 1:
        side = min(side, frame.width, frame.height)
        x = op.average_pool(x, kernel_shape=[side, side], strides=[side, side])
    return op.flatten(x, axis=1)


def pooled_features(columns: tuple[np.ndarray, ...], standard: Standard, frame: Frame) -> np.ndarray:
    """Run `pooled` over image columns, each uint8 `[n, height, width, channels]`; returns `[n, columns * pixels]`."""
    pixels = image_argument(frame)
    model = build({"pixels": pixels}, {"x": pooled(pixels, standard, frame)}).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.concatenate([np.concatenate(list(_run(session, images))) for images in columns], axis=1)


def _run(session: onnxruntime.InferenceSession, images: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), BATCH):
        yield session.run(None, {"pixels": images[start : start + BATCH]})[0]
