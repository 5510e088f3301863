"""What the evaluation of a model that draws hands on, beside its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headway.evaluation.pictures.frechet import frechet_distance
from headway.evaluation.pictures.judge import Views
from headway.evaluation.pictures.manifold import precision_recall
from headway.evaluation.pictures.memory import Nearest, copied_share, find_nearest
from headway.evaluation.pictures.variety import variety

# Figures in the features of the judge; `frechet_floor` is what real pictures themselves get.
DISTANCE, FLOOR = "frechet_distance", "frechet_floor"


@dataclass(frozen=True)
class LookedAt:
    """Pictures at one point of the training: the share of it that was done, how many real ones had been seen.

    `distance` and `variety` are beside the validation pictures. `shown`: uint8 `[n, height, width, colours]`.
    """

    done: float
    pictures: int
    distance: float
    variety: float
    shown: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Drawing:
    """What a model that draws is judged by.

    `judge_accuracy`: of the classifier whose features are used, on validation pictures; `by_groups`: it tells groups of
    alike pictures apart, since there are no classes; `looks`: the training in pictures, of which `best` was kept;
    `drawn`: how many pictures the figures are of; `samples`: uint8 `[n, h, w, colours]` with their `sample_labels`
    (empty without classes), `nearest`: the training picture nearest to each, and `ratios`: its distance as a share of
    the usual one of a fresh real picture.
    """

    judge_accuracy: float
    by_groups: bool
    looks: tuple[LookedAt, ...]
    best: int
    drawn: int
    samples: np.ndarray = field(repr=False)
    sample_labels: tuple[str, ...] = ()
    nearest: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    ratios: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """Drawn pictures beside real ones: figures by name, and the nearest training picture of each."""

    figures: Mapping[str, float]
    nearest: Nearest
    usual_distance: float


def compare_pictures(drawn: Views, test: Views, training: Views, *, wanted: np.ndarray | None, seed: int) -> Compared:
    """Compare drawn pictures with a test part that was not learnt from.

    `wanted`: int64 `[n]`, the classes that were asked for, None without. The floor is the distance of as many training
    pictures from the test part: a model that had learnt them by heart would get it.
    """
    random = np.random.default_rng(seed)
    size = min(len(drawn.features), len(training.features))
    same = random.choice(len(training.features), size, replace=False)
    precision, recall = precision_recall(test.features, drawn.features, seed=seed)
    near, fresh = find_nearest(drawn.features, training.features), find_nearest(test.features, training.features)
    figures = {
        DISTANCE: frechet_distance(drawn.features[:size], test.features),
        FLOOR: frechet_distance(training.features[same], test.features),
        "picture_precision": precision,
        "picture_recall": recall,
        "picture_variety": variety(drawn, test),
        "copied_share": copied_share(near, fresh),
    }
    if wanted is not None:
        figures["class_kept"] = float((drawn.probabilities.argmax(axis=1) == wanted).mean())
    return Compared(figures, near, float(np.median(fresh.distances)))
