"""Which label each text is likely to have, from where texts and the labels' words lie: a teacher without labels.

Spherical k-means whose centres are anchored at the labels' words, with soft assignments that are balanced in part
(unbalanced optimal transport). Each text is first moved towards its neighbours, which share its label
more often than not. Settings were chosen on banking77 with all-MiniLM-L6-v2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.models.pseudo import NEIGHBOURS, balanced, smoothed, unit

HEAT, ANCHOR_SHARE, ROUNDS = 0.045, 0.45, 10
# With so many times more texts of a label than neighbours that count, the neighbours of these count too.
MANY = 4


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
    if len(texts) >= MANY * NEIGHBOURS * len(words):
        smooth = smoothed(smooth)
    centres = anchors
    for _ in range(ROUNDS):
        shares = balanced(smooth @ centres.T / HEAT, balance)
        centres = unit(ANCHOR_SHARE * anchors + (1 - ANCHOR_SHARE) * unit(shares.T @ smooth))
    shares = balanced(smooth @ centres.T / HEAT, balance)
    return Lesson(shares, centres, mean, max(float(np.linalg.norm(centred, axis=1).mean()), 1e-6))
