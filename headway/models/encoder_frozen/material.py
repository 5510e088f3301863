"""What a head learns from: rows, the words of their labels, and rows that nobody has labelled."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.models.encoder_frozen.heads import SOLVE, Head, Vectors
from headway.models.pseudo import balanced
from headway.tasks import Task

# How far the likely labels of unlabelled rows are drawn towards being equally common.
BALANCE = 0.5
# The share of the unlabelled rows that is learnt from.
SURE = 0.15


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
class Material:
    """Rows, and what may be learnt from beside them.

    `words`: of the labels, `[labels, width]`. `unlabelled`: rows without labels, `[n, width]`.
    """

    rows: Vectors
    words: np.ndarray | None = None
    unlabelled: np.ndarray | None = None

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

    With unlabelled rows it learns twice: it labels them itself, and then learns from those too that it is most sure of
    (Scudder 1965; Lee 2013, "Pseudo-label").
    """
    clock = clock or Clock()
    rows = with_words(material.rows, material.words, setting.words)
    head = SOLVE[setting.head](rows, task, setting.penalty, start, clock)
    if material.unlabelled is None or setting.unlabelled <= 0:
        return head
    shares = balanced(head.scaled(setting.scale).outputs(material.unlabelled), BALANCE)
    more = surest(material.unlabelled, shares, rows, setting.unlabelled)
    return SOLVE[setting.head](rows.joined(more), task, setting.penalty, head, clock)


def surest(x: np.ndarray, shares: np.ndarray, rows: Vectors, weight: float) -> Vectors:
    """Return as many rows of `x` for each label, those with the largest `shares` `[n, labels]` of it.

    Together they count `weight` times what `rows` do, label by label: with whatever is most common among unlabelled
    rows, labels would be answered by how common they are (measured on tnews: .55 without them, .40 so, .56 with this).
    """
    labels, likely = shares.shape[1], shares.argmax(axis=1)
    most = max(1, int(SURE * len(x) / labels))
    totals = np.bincount(rows.y, weights=rows.weight, minlength=labels)
    chosen: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    for label in np.unique(likely):
        own = np.flatnonzero(likely == label)
        own = own[np.argsort(-shares[own, label], kind="stable")[:most]]
        chosen.append(own)
        weights.append(np.full(len(own), weight * totals[label] / len(own)))
    places = np.concatenate(chosen)
    return Vectors(x[places], likely[places], np.concatenate(weights))


def with_words(vectors: Vectors, words: np.ndarray | None, weight: float) -> Vectors:
    """Return the rows and, where they count, the words of each label `[labels, width]` as a row of that weight."""
    if words is None or weight <= 0:
        return vectors
    return vectors.joined(Vectors(words, np.arange(len(words)), np.full(len(words), weight)))
