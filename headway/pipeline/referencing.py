"""What a package keeps of its training rows and of the answers to the test rows, for seeing drift later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headway.evaluation.decisions import decide
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.evaluation.drift.storing import reference_to_json
from headway.pipeline.competing import Competed
from headway.pipeline.preparing import Prepared
from headway.pipeline.scoring import Decided, Scored
from headway.runtime.history.naming import feature_names
from headway.runtime.manifest import History
from headway.tasks import Classify, Several, Task
from headway.tasks.regress import Regress


def describe_rows(
    prepared: Prepared, competed: Competed, scored: Scored, *, history: History | None = None, seed: int
) -> bytes:
    """Return what later rows will be compared with: counts of the training rows and of the answers to the test rows."""
    contest = competed.contest
    # What tells of the past comes in no request, so that nobody could watch it.
    told = frozenset() if history is None else frozenset(feature_names(history, prepared.dataset.target))
    watched = {
        column.name: column.modality
        for column in prepared.dataset.inputs
        if column.modality != "audio" and column.name not in told
    }
    reference = build_reference(
        {name: contest.examples.rows[name].to_list() for name in watched},
        watched,
        answers=describe_answers(competed.task, scored),
        seed=seed,
    )
    return reference_to_json(reference)


def describe_answers(task: Task, scored: Scored) -> dict[str, TargetAnswers]:
    """Return the answers to the test rows for each of several targets, or for the only one under ""."""
    answers, y = scored.answers, scored.examples.y
    if not isinstance(task, Several):
        assert task.kind != "generate"
        return {"": answers_of(task, answers, y.tolist(), scored.decided)}
    found = {}
    for place, part in enumerate(task.parts):
        known, own = task.known(y, place)
        truths: list[Any] = [None] * len(y)
        for position, truth in zip(known.tolist(), own.tolist(), strict=True):
            truths[position] = truth
        found[part.name] = answers_of(part.task, task.answers(answers, place), truths, Decided())
    return found


def answers_of(task: Classify | Regress, answers: np.ndarray, truths: Sequence[Any], decided: Decided) -> TargetAnswers:
    """Return the answers for one target, with truths as the reader of the data gave them: indices of labels, or values.

    `answers`: probabilities `[n, labels]`, or values `[n]`.
    """
    if not isinstance(task, Classify):
        return TargetAnswers("regress", answers.tolist(), None, truths)
    chosen = decide(answers, threshold=decided.position(task), costs=decided.costs)
    labels = [task.labels[index] for index in chosen]
    known = [None if index is None else task.labels[index] for index in truths]
    return TargetAnswers("classify", labels, answers[range(len(chosen)), chosen].tolist(), known)
