"""Which head, how much penalty, and what the labels' own words count: the least loss on rows not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import FEW_PENALTIES, PENALTIES, Head, Vectors
from headway.models.encoder_frozen.material import Material, Setting, solved_unscaled
from headway.models.folding import inner_folds
from headway.models.targets import TargetScale, mean_loss
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# A weaker penalty has to gain this share of the loss.
GAIN = 1e-3
FOLDS = 5
# For how many rows the words of a label count: the first is where the search for the head begins.
WORDS = (2.0, 0.0, 1.0, 5.0, 10.0)
# Penalties are compared at the scale that suits each best, or strong ones would lose by being unsure.
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
# What all unlabelled rows count beside all others.
UNLABELLED = (0.5, 1.0)
# Few rows are judged by their errors, and this share of their loss to tell equals apart. Their loss is ruled by how
# sure a head may be, and prefers others than those that are right most often (measured on banking77 and tnews).
LOSS_SHARE = 0.01


@dataclass(frozen=True)
class Exam:
    """What to learn from and rows to be judged on; `truth` are the targets of these in their own unit."""

    train: Material
    valid: Vectors
    truth: np.ndarray


@dataclass(frozen=True)
class Choice:
    """A setting, the heads that it made, one of each exam and not yet scaled, and their mean loss."""

    setting: Setting
    heads: tuple[Head, ...] = ()
    loss: float = float("nan")


def choose(
    exams: Sequence[Exam],
    *,
    task: Task,
    recipe: Recipe,
    target: TargetScale | None,
    clock: Clock,
    few: bool = False,
) -> Choice:
    """Return the choice of the least mean loss over the exams; where rows are `few`, of the fewest errors.

    First each head walks from the strongest penalty to the weakest, starting where the last one ended, until it gets
    worse (to the end where rows are few). Then other weights of the labels' words are tried with the better head, its
    penalties again with the better weight, and unlabelled rows at last.
    """
    search = _Search(exams, task, recipe, target, clock, few)
    told, more = (exams[0].train.words is not None, exams[0].train.unlabelled is not None) if exams else (False, False)
    penalties = FEW_PENALTIES if few else PENALTIES[task.kind]
    for name, path in penalties.items():
        search.walk(name, path, WORDS[0] if told else 0.0)
    for weight in WORDS[1:] if told else ():
        search.vary(words=weight)
    assert search.best is not None
    if told and search.best.setting.words != WORDS[0]:
        search.walk(search.best.setting.head, penalties[search.best.setting.head], search.best.setting.words)
    for weight in UNLABELLED if more else ():
        search.vary(unlabelled=weight)
    return search.best


def cross_validated(material: Material, truth: np.ndarray, task: Task, *, seed: int) -> tuple[Exam, ...]:
    """Return exams in which every row is judged once by a head that did not learn from it; none for too few rows."""
    if len(truth) < 2 * FOLDS:
        return ()
    folds = inner_folds(truth, task, folds=FOLDS, seed=seed)
    return tuple(Exam(material.take(fold.train), material.rows.take(fold.valid), truth[fold.valid]) for fold in folds)


def examined(
    exams: Sequence[Exam], outputs: Sequence[np.ndarray], *, task: Task, recipe: Recipe, target: TargetScale | None
) -> float:
    """Return the mean loss over exams of what a head puts out for the rows of each, `[n, outputs]`."""
    losses = [
        mean_loss(answer(found, target), exam.truth, exam.valid.weight, task, recipe)
        for exam, found in zip(exams, outputs, strict=True)
    ]
    return float(np.average(losses, weights=[exam.valid.weight.sum() for exam in exams]))


@dataclass
class _Search:
    """The best choice so far."""

    exams: Sequence[Exam]
    task: Task
    recipe: Recipe
    target: TargetScale | None
    clock: Clock
    few: bool
    best: Choice | None = None

    def walk(self, name: str, path: Sequence[float], weight: float) -> None:
        """Try the penalties of a head in turn."""
        heads: tuple[Head | None, ...] = (None,) * len(self.exams)
        lowest = np.inf
        for penalty in path if self.recipe.weight_decay is None else (self.recipe.weight_decay,):
            if self.best is not None and self.clock.expired:
                return
            found = self._tried(Setting(name, penalty, weight), heads, SCALES if self.target is None else (1.0,))
            if not self.few and found.loss > lowest * (1 + GAIN):
                return
            lowest, heads = min(lowest, found.loss), found.heads

    def vary(self, *, words: float | None = None, unlabelled: float = 0.0) -> None:
        """Try other weights with the best head."""
        if self.best is None or self.clock.expired:
            return
        best = self.best.setting
        setting = replace(best, words=best.words if words is None else words, unlabelled=unlabelled)
        self._tried(setting, self.best.heads, (setting.scale,) if unlabelled else SCALES)

    def _tried(self, setting: Setting, start: Sequence[Head | None], scales: Sequence[float]) -> Choice:
        heads = tuple(
            solved_unscaled(exam.train, setting, self.task, start=head, clock=self.clock)
            for exam, head in zip(self.exams, start, strict=True)
        )
        loss, scale = min((self._loss(heads, scale), scale) for scale in scales)
        if self.few:
            loss = self._errors(heads) + LOSS_SHARE * loss
        found = Choice(replace(setting, scale=scale), heads, loss)
        if self.best is None or found.loss < self.best.loss * (1 - GAIN):
            self.best = found
        return found

    def _loss(self, heads: Sequence[Head], scale: float) -> float:
        outputs = [head.scaled(scale).outputs(exam.valid.x) for exam, head in zip(self.exams, heads, strict=True)]
        return examined(self.exams, outputs, task=self.task, recipe=self.recipe, target=self.target)

    def _errors(self, heads: Sequence[Head]) -> float:
        """Return the weighted share of wrong answers over the exams."""
        pairs = list(zip(self.exams, heads, strict=True))
        wrong = [(head.outputs(exam.valid.x).argmax(axis=1) != exam.truth) @ exam.valid.weight for exam, head in pairs]
        return float(np.sum(wrong)) / max(1e-12, sum(float(exam.valid.weight.sum()) for exam in self.exams))
