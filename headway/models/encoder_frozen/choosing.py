"""Which head, how much penalty, and what the labels' own words count: the least loss on rows not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import PENALTIES, SOLVE, Head, Vectors, with_words
from headway.models.folding import inner_folds
from headway.models.targets import TargetScale, mean_loss
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# A weaker penalty has to gain this share of the loss.
GAIN = 1e-3
FOLDS = 4
# For how many rows the words of a label count: the first is where the search for the head begins.
WORDS = (4.0, 0.0, 1.0, 10.0)


@dataclass(frozen=True)
class Setting:
    """A head, its penalty, and for how many rows the words of each label count (0: they are not learnt from)."""

    head: str
    penalty: float
    words: float = 0.0

    @property
    def told(self) -> dict[str, float | str]:
        """Return it as settings."""
        return asdict(self)


@dataclass(frozen=True)
class Exam:
    """Rows to learn from and rows to be judged on; `truth` are the targets of these in their own unit."""

    train: Vectors
    valid: Vectors
    truth: np.ndarray


@dataclass(frozen=True)
class Choice:
    """A setting, the heads that it made, one of each exam, and their mean loss."""

    setting: Setting
    heads: tuple[Head, ...] = ()
    loss: float = float("nan")


def choose(
    exams: Sequence[Exam],
    words: np.ndarray | None,
    *,
    task: Task,
    recipe: Recipe,
    target: TargetScale | None,
    clock: Clock,
) -> Choice:
    """Return the choice of the least mean loss over the exams.

    `words`: vectors of the labels' words `[labels, width]`, where they may be learnt from. First each head walks from
    the strongest penalty to the weakest, starting where the last one ended, until it gets worse; then other weights of
    the words are tried with the better head.
    """
    search = _Search(exams, words, task, recipe, target, clock)
    weights = (0.0,) if words is None else WORDS
    for name, path in PENALTIES[task.kind].items():
        search.walk(name, path if recipe.weight_decay is None else (recipe.weight_decay,), weights[0])
    for weight in weights[1:]:
        search.vary(weight)
    assert search.best is not None
    return search.best


def cross_validated(rows: Vectors, truth: np.ndarray, task: Task, *, seed: int) -> tuple[Exam, ...]:
    """Return exams in which every row is judged once by a head that did not learn from it; none for too few rows."""
    if len(truth) < 2 * FOLDS:
        return ()
    folds = inner_folds(truth, task, folds=FOLDS, seed=seed)
    return tuple(Exam(rows.take(fold.train), rows.take(fold.valid), truth[fold.valid]) for fold in folds)


@dataclass
class _Search:
    """The best choice so far."""

    exams: Sequence[Exam]
    words: np.ndarray | None
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

    def vary(self, weight: float) -> None:
        """Try another weight of the words with the best head."""
        if self.best is not None and not self.clock.expired:
            self._tried(replace(self.best.setting, words=weight), self.best.heads)

    def _tried(self, setting: Setting, start: Sequence[Head | None]) -> Choice:
        heads = tuple(self._solved(exam, setting, head) for exam, head in zip(self.exams, start, strict=True))
        losses = [self._loss(exam, head) for exam, head in zip(self.exams, heads, strict=True)]
        shares = [exam.valid.weight.sum() for exam in self.exams]
        found = Choice(setting, heads, float(np.average(losses, weights=shares)))
        if self.best is None or found.loss < self.best.loss * (1 - GAIN):
            self.best = found
        return found

    def _solved(self, exam: Exam, setting: Setting, start: Head | None) -> Head:
        rows = with_words(exam.train, self.words, setting.words)
        return SOLVE[setting.head](rows, self.task, setting.penalty, start, self.clock)

    def _loss(self, exam: Exam, head: Head) -> float:
        answers = answer(head.outputs(exam.valid.x), self.target)
        return mean_loss(answers, exam.truth, exam.valid.weight, self.task, self.recipe)
