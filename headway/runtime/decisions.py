"""From probabilities to the label that is answered."""

from __future__ import annotations

import numpy as np

from headway.runtime.manifest import Manifest


def decide(probabilities: np.ndarray, manifest: Manifest) -> np.ndarray:
    """Return the chosen label of each row, int64 `[rows]`, from `probabilities` `[rows, labels]`.

    With costs, the answer of least expected cost (Elkan 2001, equation 1); else with a threshold, its label from that
    probability on and the best of the others below it; else the most probable label.
    """
    if manifest.costs is not None:
        expected = probabilities @ np.asarray(manifest.costs, dtype=np.float64)
        return np.asarray(expected.argmin(axis=1))
    best = np.asarray(probabilities.argmax(axis=1))
    if manifest.threshold is None or len(manifest.labels) == 1:
        return best
    label, least = manifest.threshold
    position = manifest.labels.index(label)
    others = probabilities.copy()
    others[:, position] = -1.0
    return np.where(probabilities[:, position] >= least, position, others.argmax(axis=1))
