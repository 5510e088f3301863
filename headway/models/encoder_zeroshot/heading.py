"""From a lesson to a linear head on plain vectors, so that an answer needs no neighbours."""

from __future__ import annotations

import numpy as np

from headway.compute.clock import Clock
from headway.models.encoder_frozen.heads import Head, Vectors, logistic
from headway.models.encoder_zeroshot.teaching import HEAT, Lesson
from headway.tasks import Task


def centre_head(lesson: Lesson) -> Head:
    """Compare with the centres of the lesson."""
    weights = lesson.centres.T.astype(np.float64) / (HEAT * lesson.spread)
    return Head(weights, -(lesson.mean.astype(np.float64) @ weights))


def distilled_head(
    texts: np.ndarray, words: np.ndarray, lesson: Lesson, task: Task, *, penalty: float, clock: Clock
) -> Head:
    """Learn the lesson's likeliest labels by logistic regression, sure ones most; the words are rows too."""
    sure = lesson.shares.max(axis=1).astype(np.float64) ** 2
    x = np.concatenate([texts, words])
    y = np.concatenate([lesson.shares.argmax(axis=1), np.arange(len(words))])
    vectors = Vectors(x, y, np.concatenate([sure, np.ones(len(words))]))
    return logistic(vectors, task, penalty, None, clock)
