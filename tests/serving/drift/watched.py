"""Packages that drift is watched for."""

import numpy as np

from headway.evaluation.drift import reference_to_json
from headway.evaluation.drift.building import build_reference
from tests.serving.packages import write_tiny


def write_watched(folder, *, mean=0.0, column="x", **changes):
    """A package that was trained on numbers around `mean` in a column."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], 400, p=[0.9, 0.1]).tolist()
    reference = build_reference(
        {column: random.normal(mean, 1, 1000).tolist()}, {column: "number"}, task="classify", predictions=labels,
        confidence=None, truths=labels[::-1], seed=0,
    )  # fmt: skip
    return write_tiny(folder, reference=reference_to_json(reference), **changes)
