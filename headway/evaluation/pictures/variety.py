"""Whether drawn pictures are as different from each other as real ones: the watch for a mode collapse."""

from __future__ import annotations

import numpy as np

from headway.evaluation.pictures.judge import Views


def variety(drawn: Views, real: Views) -> float:
    """Return how varied drawn pictures are, as a share of the variety of real ones; well below 1 is a collapse.

    The smaller of two shares: of the number of classes that are in effect drawn (the exponential of their entropy), and
    of the spread of the features within the classes, which falls where each class is always the same picture.
    """
    return min(
        classes_in_effect(drawn) / classes_in_effect(real), spread_within(drawn) / max(spread_within(real), 1e-9)
    )


def classes_in_effect(views: Views) -> float:
    """Return the exponential of the entropy of the classes that the judge sees."""
    counts = np.bincount(views.probabilities.argmax(axis=1), minlength=views.probabilities.shape[1])
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def spread_within(views: Views) -> float:
    """Return the mean distance of features from the mean of their class."""
    found = views.probabilities.argmax(axis=1)
    distances = np.zeros(len(found))
    for label in np.unique(found):
        mine = found == label
        features = views.features[mine].astype(np.float64)
        distances[mine] = np.linalg.norm(features - features.mean(axis=0), axis=1)
    return float(distances.mean())
