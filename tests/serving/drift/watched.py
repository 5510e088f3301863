"""Packages that drift is watched for."""

import numpy as np

from headway.evaluation.drift import reference_to_json
from headway.evaluation.drift.building import TargetAnswers, build_reference
from tests.serving.packages import write_tiny


def write_watched(folder, *, mean=0.0, column="a", **changes):
    """A package that was trained on numbers around `mean` in a column."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], 400, p=[0.9, 0.1]).tolist()
    answers = {"": TargetAnswers("classify", labels, None, labels[::-1])}
    columns = {column: random.normal(mean, 1, 1000).tolist()}
    reference = build_reference(columns, {column: "number"}, answers=answers, seed=0)
    return write_tiny(folder, reference=reference_to_json(reference), **changes)


def write_watched_several(folder):
    """A package with two targets: whether one number is the larger (half are), and the first of them twice."""
    random = np.random.default_rng(0)
    columns = {name: random.normal(0, 1, 1000).tolist() for name in ("a", "b")}
    side, far = (random.random(400) < 0.5).tolist(), random.normal(0, 2, 400)
    answers = {
        "side": TargetAnswers("classify", side, random.uniform(0.5, 1, 400).tolist(), side),
        "far": TargetAnswers("regress", far.tolist(), None, (far + random.normal(0, 0.1, 400)).tolist()),
    }
    reference = build_reference(columns, dict.fromkeys(columns, "number"), answers=answers, seed=0)
    return write_tiny(folder, "several", reference=reference_to_json(reference))


def write_watched_too_much(folder):
    """A package whose reference also knows a column that its model does not read."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], 400, p=[0.9, 0.1]).tolist()
    columns = {name: random.normal(0, 1, 1000).tolist() for name in ("a", "unread")}
    answers = {"": TargetAnswers("classify", labels, None, labels)}
    reference = build_reference(columns, dict.fromkeys(columns, "number"), answers=answers, seed=0)
    return write_tiny(folder, reference=reference_to_json(reference))
