"""Weighted ensembles by greedy selection (Caruana et al. 2004, "Ensemble selection from libraries of models")."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headway.evaluation.metrics import greater_is_better, quick_metric
from headway.tasks import Several, Task

ROUNDS = 20
RESAMPLES, SIGMAS = 100, 1.64
SMALLEST_WEIGHT = 0.1
# A mean of near equals varies less than each of them, as a matter of course: where a member costs little it needs less
# proof than another model would, half a standard error. A costly one needs what any other model does.
LEAN, SURE = 0.5, SIGMAS


def select_weights(answers: Mapping[str, np.ndarray], truth: np.ndarray, task: Task) -> dict[str, float]:
    """Choose weights (summing to 1) of the candidates whose mean answer has the lowest loss.

    `answers`: per candidate float32 `[n, labels]` probabilities or `[n]` values; `truth`: `[n]`. The loss is
    log loss or the squared error: smooth, so that luck in a few rows decides less than with accuracy.
    """
    counts = dict.fromkeys(answers, 0)
    judged = {name: judged_part(own, truth, task).astype(np.float64) for name, own in answers.items()}
    total = np.zeros_like(next(iter(judged.values())))
    best: tuple[float, dict[str, int]] = (np.inf, counts)
    for size in range(1, ROUNDS + 1):
        losses = {name: float(part_losses((total + own) / size, truth, task).mean()) for name, own in judged.items()}
        chosen = min(losses, key=lambda name: losses[name])
        counts = {**counts, chosen: counts[chosen] + 1}
        total += judged[chosen]
        if losses[chosen] < best[0]:
            best = (losses[chosen], counts)
    return keep_heavy({name: count / sum(best[1].values()) for name, count in best[1].items()})


def keep_heavy(weights: Mapping[str, float]) -> dict[str, float]:
    """Drop members that hardly count: each costs latency and size."""
    kept = {name: weight for name, weight in weights.items() if weight > SMALLEST_WEIGHT}
    total = sum(kept.values())
    return {name: weight / total for name, weight in kept.items()}


def mix(answers: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Return the weighted mean of the members' answers, float32."""
    total = sum(weight * answers[name].astype(np.float64) for name, weight in weights.items())
    return np.asarray(total, dtype=np.float32)


def row_losses(answers: np.ndarray, truth: np.ndarray, task: Task) -> np.ndarray:
    """Return the log loss or squared error of each row, `[n]`.

    Of several targets it is the mean over those that a row has, squared errors in units of the target's variance, and
    weighted so that every target counts as much in the mean over all rows, however few have it.
    """
    return part_losses(judged_part(answers, truth, task), truth, task)


def judged_part(answers: np.ndarray, truth: np.ndarray, task: Task) -> np.ndarray:
    """Return what the loss of a row looks at: the probability of its true label `[n]`; of other tasks all of it."""
    return np.asarray(answers[np.arange(len(truth)), truth]) if task.kind == "classify" else answers


def part_losses(part: np.ndarray, truth: np.ndarray, task: Task) -> np.ndarray:
    """Return the loss of each row from its judged part, `[n]`; see `row_losses`."""
    if isinstance(task, Several):
        return _several_losses(part, truth, task)
    if task.kind == "regress":
        return np.asarray(np.square(part - truth))
    return np.asarray(-np.log(np.clip(part, 1e-7, None)))


def _several_losses(answers: np.ndarray, truth: np.ndarray, task: Several) -> np.ndarray:
    total = np.zeros(len(truth))
    for place, part in enumerate(task.parts):
        rows, own = task.known(truth, place)
        losses = row_losses(task.answers(answers[rows], place), own, part.task)
        scale = 1.0 if part.task.kind == "classify" or len(own) == 0 else max(float(own.var()), 1e-12)
        total[rows] += losses / scale * (len(truth) / max(1, len(rows)))
    return np.asarray(total / len(task.parts))


def loses_less(mixed: np.ndarray, single: np.ndarray, truth: np.ndarray, task: Task, *, errors: float = LEAN) -> bool:
    """Tell whether the mean row loss of `mixed` is below that of `single` by more than so many standard `errors`."""
    difference = row_losses(single, truth, task) - row_losses(mixed, truth, task)
    return bool(difference.mean() > errors * difference.std() / np.sqrt(len(difference)))


def gains_more_than_noise(
    mixed: np.ndarray, single: np.ndarray, truth: np.ndarray, task: Task, *, metric: str, seed: int
) -> bool:
    """Tell whether `mixed` beats `single` in a metric by more than chance would (one-sided 95%, paired bootstrap)."""
    sign = 1.0 if greater_is_better(metric) else -1.0

    def gain(rows: np.ndarray) -> float:
        return sign * (
            quick_metric(metric, truth[rows], mixed[rows], task) - quick_metric(metric, truth[rows], single[rows], task)
        )

    every_row = np.arange(len(truth))
    observed = gain(every_row)
    if not observed > 0:
        return False
    generator = np.random.default_rng(seed)
    gains = [gain(generator.choice(every_row, len(every_row))) for _ in range(RESAMPLES)]
    return observed > SIGMAS * float(np.nanstd(gains))
