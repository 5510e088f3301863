"""Which head, how much penalty, and what the labels' own words count: the least loss on rows not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import PENALTIES, Head, Vectors
from headway.models.encoder_frozen.material import Material, Setting, solved
from headway.models.folding import inner_folds
from headway.models.targets import TargetScale, mean_loss
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# A weaker penalty has to gain this share of the loss.
GAIN = 1e-3
FOLDS = 3
# For how many rows the words of a label count: the first is where the search for the head begins.
WORDS = (2.0, 0.0, 1.0, 5.0, 10.0)
# What all unlabelled rows count beside all others.
UNLABELLED = (0.5, 2.0)


@dataclass(frozen=True)
class Exam:
    """What to learn from and rows to be judged on; `truth` are the targets of these in their own unit."""

    train: Material
    valid: Vectors
    truth: np.ndarray


@dataclass(frozen=True)
class Choice:
    """A setting, the heads that it made, one of each exam, and their mean loss."""

    setting: Setting
    heads: tuple[Head, ...] = ()
    loss: float = float("nan")


def choose(exams: Sequence[Exam], *, task: Task, recipe: Recipe, target: TargetScale | None, clock: Clock) -> Choice:
    """Return the choice of the least mean loss over the exams.

    First each head walks from the strongest penalty to the weakest, starting where the last one ended, until it gets
    worse; then other weights of the labels' words are tried with the better head, and of the unlabelled rows.
    """
    search = _Search(exams, task, recipe, target, clock)
    told, more = (exams[0].train.words is not None, exams[0].train.unlabelled is not None) if exams else (False, False)
    weights = WORDS if told else (0.0,)
    for name, path in PENALTIES[task.kind].items():
        search.walk(name, path if recipe.weight_decay is None else (recipe.weight_decay,), weights[0])
    for weight in weights[1:]:
        search.vary(words=weight)
    for weight in UNLABELLED if more else ():
        search.vary(unlabelled=weight)
    assert search.best is not None
    return search.best


def cross_validated(material: Material, truth: np.ndarray, task: Task, *, seed: int) -> tuple[Exam, ...]:
    """Return exams in which every row is judged once by a head that did not learn from it; none for too few rows."""
    if len(truth) < 2 * FOLDS:
        return ()
    folds = inner_folds(truth, task, folds=FOLDS, seed=seed)
    return tuple(Exam(material.take(fold.train), material.rows.take(fold.valid), truth[fold.valid]) for fold in folds)


@dataclass
class _Search:
    """The best choice so far."""

    exams: Sequence[Exam]
    task: Task
    recipe: Recipe
    target: TargetScale | None
    clock: Clock
    best: Choice | None = None

    def walk(self, name: str, path: Sequence[float], weight: float) -> None:
        """Try the penalties of a head in turn."""
        heads: tuple[Head | None, ...] = (None,) * len(self.exams)
        lowest = np.inf
        for penalty in path:
            if self.best is not None and self.clock.expired:
                return
            found = self._tried(Setting(name, penalty, weight), heads)
            if found.loss > lowest * (1 + GAIN):
                return
            lowest, heads = min(lowest, found.loss), found.heads

    def vary(self, **changes: float) -> None:
        """Try other weights with the best head."""
        if self.best is not None and not self.clock.expired:
            self._tried(replace(self.best.setting, **changes), self.best.heads)

    def _tried(self, setting: Setting, start: Sequence[Head | None]) -> Choice:
        heads = tuple(self._solved(exam, setting, head) for exam, head in zip(self.exams, start, strict=True))
        losses = [self._loss(exam, head) for exam, head in zip(self.exams, heads, strict=True)]
        shares = [exam.valid.weight.sum() for exam in self.exams]
        found = Choice(setting, heads, float(np.average(losses, weights=shares)))
        if self.best is None or found.loss < self.best.loss * (1 - GAIN):
            self.best = found
        return found

    def _solved(self, exam: Exam, setting: Setting, start: Head | None) -> Head:
        return solved(exam.train, setting, self.task, start=start, clock=self.clock)

    def _loss(self, exam: Exam, head: Head) -> float:
        answers = answer(head.outputs(exam.valid.x), self.target)
        return mean_loss(answers, exam.truth, exam.valid.weight, self.task, self.recipe)
