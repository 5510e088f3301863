"""Texts of like length together, so that a transformer computes hardly any padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Tokens of one run of a graph: their activations stay in a core's cache.
BATCH_TOKENS = 1024


def batches_of(lengths: np.ndarray, *, tokens: int = BATCH_TOKENS) -> Iterator[np.ndarray]:
    """Yield positions, longest first, so that a padded batch holds about `tokens` and hardly any padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]])
        most = order[start : start + max(1, tokens // max(1, longest))]
        # Padding up to an eighth of the batch costs less than a further run of the graph.
        wasted = np.cumsum(longest - lengths[most])
        fits = int(np.searchsorted(wasted > (np.arange(len(most)) + 1) * longest / 8, True))  # noqa: FBT003
        yield most[: max(1, fits)]
        start += max(1, fits)
