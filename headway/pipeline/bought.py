"""What a pretrained model bought: the best candidate with one beside the best without."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from headway.bases.base import BaseKind
from headway.data.dataset import Dataset
from headway.evaluation.comparison import compare
from headway.evaluation.metrics import greater_is_better, quick_metric
from headway.models.family import discover
from headway.pipeline.competing import Competed
from headway.report.content import Bought, OnlyRight
from headway.runtime.manifest import Label
from headway.tasks import Classify, Several, Task
from headway.training.contest import Contest
from headway.training.ensemble import mix, row_losses, select_weights
from headway.training.entrants import BASELINES
from headway.training.outcome import Outcome

EXAMPLES = 10


def tell_what_was_bought(competed: Competed, dataset: Dataset, kinds: AbstractSet[BaseKind]) -> Bought | None:
    """Compare on the validation rows the best candidate that stands on a base with the best that does not.

    `kinds`: of the bases that the run leans on; a small encoder that a candidate made for itself is none. None where
    only one side has a candidate that answered all of them. An ensemble with one member on a base stands on a base
    itself.
    """
    contest, outcomes = competed.contest, competed.tournament.outcomes
    if contest.task.kind == "generate":
        return None  # the report shows the base itself beside what it was taught
    ranked = _ranked(outcomes, contest)
    without = [each for each in ranked if not stands_on_a_base(each, kinds)]
    small = next(iter(without), None)
    large = next((each for each in ranked if stands_on_a_base(each, kinds)), None)
    if small is None or large is None or small.name in BASELINES:
        return None
    assert small.answers is not None
    assert large.answers is not None
    compared = compare(
        small.answers,
        large.answers,
        contest.truth,
        contest.task,
        names=(small.name, large.name),
        metric=contest.metric,
        positive=contest.positive,
        seed=contest.seed,
    )
    found = _only_large(small.answers, large.answers, contest)
    return Bought(
        small.name,
        large.name,
        contest.metric,
        compared.values,
        compared.interval,
        compared.better,
        len(contest.valid),
        compared.only,
        tuple(_example(position, small.answers, large.answers, contest, dataset) for position in found),
        tuple((each.name, stands_on_a_base(each, kinds)) for each in ranked),
        _mixed(without, contest),
    )


def stands_on_a_base(outcome: Outcome, kinds: AbstractSet[BaseKind]) -> bool:
    """Tell whether a candidate, or a member of it, was made from a pretrained model, of those of `kinds`."""
    cards = discover().cards
    names = outcome.members or (outcome.name,)
    return any(name in cards and cards[name].base in kinds for name in names)


def _ranked(outcomes: Sequence[Outcome], contest: Contest) -> list[Outcome]:
    """Return the outcomes that answered every validation row, the best metric first, and of equals the one that won."""
    sign = 1.0 if greater_is_better(contest.metric) else -1.0
    whole = [
        outcome
        for outcome in outcomes
        if outcome.answers is not None and len(outcome.answers) == len(contest.valid)
        if outcome.status in ("won", "ok", "over_limit")
    ]
    return sorted(whole, key=lambda outcome: (-sign * outcome.metrics[contest.metric], outcome.status != "won"))


def _mixed(without: Sequence[Outcome], contest: Contest) -> float | None:
    """Return the metric that candidates without a base reach together, None where the best is not behind that.

    A run without a base would have shipped such a mixture: the gain over the best alone would flatter the base.
    """
    single = [each for each in without if not each.members and each.name not in BASELINES]
    answers = {each.name: each.answers for each in single if each.answers is not None}
    if len(answers) < 2:
        return None
    mixed = mix(answers, select_weights(answers, contest.truth, contest.task))
    sign = 1.0 if greater_is_better(contest.metric) else -1.0
    found = quick_metric(contest.metric, contest.truth, mixed, contest.task, positive=contest.positive)
    best = max(sign * each.metrics[contest.metric] for each in without)
    return float(found) if sign * found > best else None


def _only_large(small: np.ndarray, large: np.ndarray, contest: Contest) -> np.ndarray:
    """Return the rows (`[at most EXAMPLES]`, places among the validation rows) where the large model gained most."""
    truth, task = contest.truth, contest.task
    gains = row_losses(small, truth, task) - row_losses(large, truth, task)
    if isinstance(task, Classify):
        gains = np.where((large.argmax(1) == truth) & (small.argmax(1) != truth), gains, -np.inf)
    order = np.argsort(-gains, kind="stable")[:EXAMPLES]
    return np.asarray(order[gains[order] > 0])


def _example(position: int, small: np.ndarray, large: np.ndarray, contest: Contest, dataset: Dataset) -> OnlyRight:
    cells = dataset.rows.row(int(contest.valid[position]), named=True)
    task = contest.task
    return OnlyRight(
        cells,
        _label(contest.truth[position], task),
        _answer(small[position], task),
        _answer(large[position], task),
    )


def _answer(answer: np.ndarray, task: Task) -> Label:
    if isinstance(task, Several):
        each = enumerate(task.parts)
        return _joined(task, [_answer(task.answers(answer[None], place)[0], part.task) for place, part in each])
    return _label(answer.argmax() if isinstance(task, Classify) else answer, task)


def _label(target: np.ndarray | np.generic | int, task: Task) -> Label:
    if isinstance(task, Several):
        own = zip(task.parts, np.asarray(target), strict=True)
        return _joined(task, ["–" if np.isnan(value) else _label(value, part.task) for part, value in own])
    return task.labels[int(target)] if isinstance(task, Classify) else float(target)


def _joined(task: Several, answers: list[Label]) -> str:
    """Return the answers for several targets in one line."""
    shown = [f"{answer:.4g}" if isinstance(answer, float) else str(answer) for answer in answers]
    return "; ".join(f"{part.name}: {answer}" for part, answer in zip(task.parts, shown, strict=True))
