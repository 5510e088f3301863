"""Which label each text is likely to have, from where texts and the labels' words lie: a teacher without labels.

Spherical k-means whose centres are anchored at the labels' words, with soft assignments that are balanced in part
(unbalanced optimal transport). Each text is first moved towards its neighbours, which share its label
more often than not. Settings were chosen on banking77 with all-MiniLM-L6-v2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.models.encoder_frozen.lens import unit

NEIGHBOURS, NEIGHBOUR_SHARE, NEIGHBOUR_HEAT = 20, 0.6, 0.1
HEAT, ANCHOR_SHARE, ROUNDS, SCALINGS = 0.045, 0.45, 10, 20
_BLOCK = 1000


@dataclass(frozen=True)
class Lesson:
    """`shares`: float32 `[n, labels]`, each text's labels; `centres`: `[labels, width]` around `mean` `[width]`.

    `spread`: how far texts lie from the mean, on average.
    """

    shares: np.ndarray
    centres: np.ndarray
    mean: np.ndarray
    spread: float


def teach(texts: np.ndarray, words: np.ndarray, *, balance: float) -> Lesson:
    """Return each text's likely labels, from float32 `[n, width]` texts and `[labels, width]` words.

    `balance`: 0 leaves the labels' shares as they come, 1 makes all labels equally common.
    """
    mean = texts.mean(axis=0)
    centred = texts - mean
    anchors = unit(words - words.mean(axis=0))
    smooth = smoothed(unit(centred))
    centres = anchors
    for _ in range(ROUNDS):
        shares = balanced(smooth @ centres.T / HEAT, balance)
        centres = unit(ANCHOR_SHARE * anchors + (1 - ANCHOR_SHARE) * unit(shares.T @ smooth))
    shares = balanced(smooth @ centres.T / HEAT, balance)
    return Lesson(shares, centres, mean, max(float(np.linalg.norm(centred, axis=1).mean()), 1e-6))


def smoothed(x: np.ndarray) -> np.ndarray:
    """Return unit rows moved towards their nearest neighbours; a row is no neighbour of itself."""
    count = min(NEIGHBOURS, len(x) - 1)
    if count < 2:
        return x
    out = np.empty_like(x)
    for start in range(0, len(x), _BLOCK):
        part = x[start : start + _BLOCK]
        near = part @ x.T
        near[np.arange(len(part)), start + np.arange(len(part))] = -np.inf
        places = np.argpartition(-near, count - 1, axis=1)[:, :count]
        weights = np.exp((np.take_along_axis(near, places, 1) - 1) / NEIGHBOUR_HEAT)
        weights /= np.maximum(weights.sum(1, keepdims=True), 1e-30)
        around = (weights[:, None, :] @ x[places])[:, 0]
        out[start : start + _BLOCK] = unit((1 - NEIGHBOUR_SHARE) * part + NEIGHBOUR_SHARE * around)
    return out


def balanced(logits: np.ndarray, balance: float) -> np.ndarray:
    """Return softmax shares `[n, labels]`, scaled so that labels come nearer to being equally common.

    Unbalanced optimal transport (Chizat et al. 2018): rows keep their sum, labels theirs only in part.
    """
    kernel = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    even, weights = len(kernel) / kernel.shape[1], np.ones(kernel.shape[1], np.float32)
    for _ in range(SCALINGS):
        wanted = kernel.T @ (1 / np.maximum(kernel @ weights, 1e-30))
        weights = (even / np.maximum(wanted, 1e-12)) ** balance
    shares = kernel * weights
    return np.asarray(shares / np.maximum(shares.sum(1, keepdims=True), 1e-30), np.float32)
