"""What a head learns from: rows, the words of their labels, and rows that nobody has labelled."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.models.encoder_frozen.heads import SOLVE, Head, Vectors
from headway.models.pseudo import balanced, smoothed
from headway.tasks import Task

# How far the likely labels of unlabelled rows are drawn towards being equally common.
BALANCE = 0.5


@dataclass(frozen=True)
class Setting:
    """A head, its penalty, and for how many rows the words of each label count (0: they are not learnt from).

    `unlabelled`: what all unlabelled rows count beside all others together. `scale`: what the outputs of a classifier
    are multiplied by, since a strong penalty makes answers that are right and too unsure.
    """

    head: str
    penalty: float
    words: float = 0.0
    unlabelled: float = 0.0
    scale: float = 1.0

    @property
    def told(self) -> dict[str, float | str]:
        """Return it as settings."""
        return asdict(self)


@dataclass(frozen=True)
class Unlabelled:
    """Vectors of rows without labels, `[n, width]`, and the same moved towards their neighbours."""

    x: np.ndarray
    smooth: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Unlabelled:
        """Find the neighbours of vectors of length 1."""
        return cls(x, smoothed(x))


@dataclass(frozen=True)
class Material:
    """Rows; `words`: `[labels, width]` of the labels' words, where they may be learnt from; unlabelled rows."""

    rows: Vectors
    words: np.ndarray | None = None
    unlabelled: Unlabelled | None = None

    def take(self, positions: np.ndarray) -> Material:
        """Return the material with fewer rows."""
        return replace(self, rows=self.rows.take(positions))


def solved(material: Material, setting: Setting, task: Task) -> Head:
    """Return the head of a setting."""
    return solved_unscaled(material, setting, task).scaled(setting.scale)


def solved_unscaled(
    material: Material, setting: Setting, task: Task, *, start: Head | None = None, clock: Clock | None = None
) -> Head:
    """Return the head of a setting before its outputs are scaled, found from `start`.

    With unlabelled rows it learns twice: it labels them itself, and then learns from them too, most from those that it
    is sure of (Scudder 1965; Lee 2013, "Pseudo-label").
    """
    clock = clock or Clock()
    rows = with_words(material.rows, material.words, setting.words)
    head = SOLVE[setting.head](rows, task, setting.penalty, start, clock)
    if material.unlabelled is None or setting.unlabelled <= 0:
        return head
    shares = balanced(head.scaled(setting.scale).outputs(material.unlabelled.smooth), BALANCE)
    sure = shares.max(axis=1).astype(np.float64) ** 2
    weight = sure * (setting.unlabelled * rows.weight.sum() / max(float(sure.sum()), 1e-12))
    more = Vectors(material.unlabelled.x, shares.argmax(axis=1), weight)
    return SOLVE[setting.head](rows.joined(more), task, setting.penalty, head, clock)


def with_words(vectors: Vectors, words: np.ndarray | None, weight: float) -> Vectors:
    """Return the rows and, where they count, the words of each label `[labels, width]` as a row of that weight."""
    if words is None or weight <= 0:
        return vectors
    return vectors.joined(Vectors(words, np.arange(len(words)), np.full(len(words), weight)))
