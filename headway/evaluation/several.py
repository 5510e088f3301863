"""Score the answers for several targets: each over the rows that have it, and the mean of what they count by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from headway.data.dataset import Column
from headway.evaluation.bootstrap import intervals
from headway.evaluation.metrics import MEAN_SCORE, score
from headway.evaluation.scores import Scores
from headway.evaluation.scoring import evaluate
from headway.tasks import Several


def evaluate_several(
    y: np.ndarray,
    answers: np.ndarray,
    task: Several,
    *,
    rows: pl.DataFrame | None = None,
    inputs: tuple[Column, ...] = (),
    widths: Mapping[str, Mapping[float, float]] | None = None,
    seed: int = 0,
) -> Scores:
    """Score `answers` `[n, width]` against `y` `[n, parts]`, NaN where a target is missing; see `Several`.

    `rows` and `inputs` as in `evaluate`, `widths` by target as there. A target that no row has gets no scores. Raises
    `HeadwayError` where answers do not fit.
    """
    found: dict[str, Scores] = {}
    for place, part in enumerate(task.parts):
        known, own = task.known(y, place)
        if len(known) == 0:
            continue
        found[part.name] = evaluate(
            own,
            task.answers(answers[known], place),
            part.task,
            rows=None if rows is None else rows[known],
            inputs=inputs,
            positive=part.positive,
            widths=(widths or {}).get(part.name),
            seed=seed,
        )
    metrics = {f"{name}:{target}": value for target, own in found.items() for name, value in own.metrics.items()}
    spread = {f"{name}:{target}": value for target, own in found.items() for name, value in own.intervals.items()}
    mean = float(score(MEAN_SCORE, y, answers, task)[0])
    return Scores(
        task=task.kind,
        rows=len(y),
        metrics={MEAN_SCORE: mean, **metrics},
        intervals={**intervals([MEAN_SCORE], y, answers, task, seed=seed), **spread},
        targets=found,
    )
