"""What all candidates of one tournament share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from headway.bases.base import Base, BaseKind
from headway.data.dataset import Fold
from headway.evaluation.metrics import positive_class
from headway.models.family import Card, Examples
from headway.tasks import Classify, Task


@dataclass(frozen=True)
class Contest:
    """One split, one measure, one set of limits for everybody.

    `examples` are all clean rows, `train` (`[k]` positions) those that may be learnt from; `folds` divide them.
    `limits` are ceilings for what ships: latency_p50_ms, latency_p95_ms, size_mb, memory_mb. `memory_mb` is what
    training may use. `bases` are the pretrained models at hand, one of a kind. `test_rows`: how many rows the winner
    has to answer when the tournament is over, inside the same budget.
    """

    examples: Examples
    train: np.ndarray
    folds: tuple[Fold, ...]
    task: Task
    metric: str
    limits: Mapping[str, float] = field(default_factory=dict)
    memory_mb: float = float("inf")
    seed: int = 0
    bases: Mapping[BaseKind, Base] = field(default_factory=dict)
    test_rows: int = 0

    def seen_by(self, card: Card) -> Contest:
        """Return the contest as a family sees it: with the base that its card asks for, and what it may take."""
        base = None if card.base is None else self.bases.get(card.base)
        allowed = [self.limits[name] for name in ("latency_p50_ms", "latency_p95_ms") if name in self.limits]
        latency = min(allowed, default=float("inf"))
        support = replace(self.examples.support, base=base, memory_mb=self.memory_mb, latency_ms=latency)
        return replace(self, examples=replace(self.examples, support=support))

    @cached_property
    def valid(self) -> np.ndarray:
        """Positions of the validation rows, in the order of `Outcome.answers`."""
        return np.concatenate([fold.valid for fold in self.folds])

    @cached_property
    def truth(self) -> np.ndarray:
        """Targets of the validation rows, in the order of `Outcome.answers`."""
        return np.asarray(self.examples.y[self.valid])

    @cached_property
    def positive(self) -> int | None:
        """The class that precision and recall are about, chosen once for all folds; None for regression."""
        return positive_class(self.examples.y, self.task) if isinstance(self.task, Classify) else None

    def thinned(self, share: float) -> Contest:
        """Return the same contest with a random `share` of the rows to train on; the judges stay the same."""
        generator = np.random.default_rng(self.seed)
        folds = tuple(
            Fold(np.sort(generator.choice(fold.train, max(1, int(share * len(fold.train))), replace=False)), fold.valid)
            for fold in self.folds
        )
        train = np.sort(generator.choice(self.train, max(1, int(share * len(self.train))), replace=False))
        return replace(self, train=train, folds=folds)

    @property
    def refit_ratio(self) -> float:
        """How many times longer a fit on all training rows takes than one on the first fold."""
        return len(self.train) / max(1, len(self.folds[0].train))
