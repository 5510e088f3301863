"""Likely labels of rows that nobody has labelled: what neighbours say, and how common labels are."""

from __future__ import annotations

import numpy as np

NEIGHBOURS, NEIGHBOUR_SHARE, NEIGHBOUR_HEAT = 20, 0.6, 0.1
SCALINGS = 20
_BLOCK = 1000


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


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows of the length 1."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
