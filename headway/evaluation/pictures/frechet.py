"""How far apart two sets of pictures are, in the features of a classifier.

Heusel et al. 2017, "GANs trained by a two time-scale update rule", section 2, with the features of a classifier of the
same pictures in place of Inception's: a distance is comparable only with distances in the features of the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Mean float64 `[features]` and covariance `[features, features]` of a set of pictures."""

    mean: np.ndarray
    covariance: np.ndarray


def moments_of(features: np.ndarray) -> Moments:
    """Return the moments of features `[n, features]`; of a single picture the covariance is zero."""
    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    centred = values - mean
    return Moments(mean, centred.T @ centred / max(1, len(values) - 1))


def frechet_distance(one: np.ndarray | Moments, other: np.ndarray | Moments) -> float:
    """Return the squared Frechet distance of two Gaussians with the moments of two sets of features `[n, features]`.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2): never below zero, whatever the rank of the covariances.
    """
    first = one if isinstance(one, Moments) else moments_of(one)
    second = other if isinstance(other, Moments) else moments_of(other)
    root = _root(first.covariance)
    crossed = np.linalg.eigvalsh(root @ second.covariance @ root)
    shared = np.sqrt(np.clip(crossed, 0, None)).sum()
    spread = np.trace(first.covariance) + np.trace(second.covariance) - 2 * shared
    return float(max(0.0, np.square(first.mean - second.mean).sum() + spread))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)
