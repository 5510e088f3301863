"""One candidate's way through the tournament: fit on every fold, answer, calibrate, export, measure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.evaluation.metrics import greater_is_better, metric_names, quick_metric
from headway.models.decoder_graph import judge_graph, measure_decoder
from headway.models.family import Curve, Estimate, Examples, Family, Fitted, Settings, notes_of
from headway.package.graph import Graph
from headway.package.measuring import measure
from headway.package.parity import check_parity, check_text_parity
from headway.runtime.feeds import Cells
from headway.tasks import Task
from headway.training.calibration import calibrated
from headway.training.contest import Contest
from headway.training.ensemble import row_losses
from headway.training.entrants import Entrant
from headway.training.outcome import Outcome, Trial

PARITY_ROWS = 256
PARITY_TEXTS = 16
MEASURED_ROWS = 64
LOSER_SIGMAS = 3.0
# A further fold is not begun with less than this share of the time the last one took.
LATE = 0.7
# Of a self-tuning candidate's time, what the search for settings may take before the folds have their turn.
TUNING_SHARE = 0.5


@dataclass(frozen=True)
class FoldResult:
    """One fold's answers (uncalibrated), and what the fit left behind; `searching` of its `seconds` chose settings."""

    answers: np.ndarray
    seconds: float
    searching: float
    settings: Settings
    curves: tuple[Curve, ...]


def try_candidate(
    entrant: Entrant, family: Family, contest: Contest, *, estimate: Estimate, clock: Clock, rival: Outcome | None
) -> Trial:
    """Fit, judge and measure one candidate.

    `clock` ends when this candidate has to be through. `rival` is the best so far: a candidate that is
    clearly worse on the folds seen so far is dropped. Raises what the family raises.
    """
    began = time.monotonic()
    whole = tuned(entrant, family, contest, clock)
    tuning = time.monotonic() - began
    outcome = compared(entrant, family, contest, whole, estimate=estimate, clock=clock, rival=rival)
    spent = (outcome.fit_seconds or 0.0) + tuning
    return Trial(replace(outcome, fit_seconds=spent, tuning_seconds=outcome.tuning_seconds + tuning), whole)


def tuned(entrant: Entrant, family: Family, contest: Contest, clock: Clock) -> Fitted | None:
    """Let a self-tuning candidate choose its settings once for all folds; return what it fitted to all training rows.

    The few settings have then met every validation row, as in any cross-validated choice; the test part has the last
    word. None for other candidates: they choose in every fold, on its validation part.
    """
    if not entrant.card.self_tuning or len(contest.folds) == 1:
        return None
    examples = contest.examples.take(contest.train)
    limit = clock if clock.left() == float("inf") else Clock.after(clock.left() * TUNING_SHARE)
    return family.fit(examples, None, contest.task, entrant.recipe, settings=None, seed=contest.seed, clock=limit)


def compared(
    entrant: Entrant,
    family: Family,
    contest: Contest,
    whole: Fitted | None,
    *,
    estimate: Estimate,
    clock: Clock,
    rival: Outcome | None,
) -> Outcome:
    """Return how a candidate did on the folds, with the settings of `whole` where it was tuned before."""
    settings = None if whole is None else whole.settings
    results: list[FoldResult] = []
    graph: Graph | None = None
    notes: tuple[str, ...] = ()
    for number, fold in enumerate(contest.folds):
        fit_clock = share_clock(clock, fits_left=len(contest.folds) - number)
        train, valid = contest.examples.take(fold.train), contest.examples.take(fold.valid)
        started = time.monotonic()
        fitted = family.fit(
            train, valid, contest.task, entrant.recipe, settings=settings, seed=contest.seed, clock=fit_clock
        )
        seconds = time.monotonic() - started
        answers = checked_answers(fitted.predict(valid.rows), len(valid), contest.task)
        searching = min(seconds, float(getattr(fitted, "searching_seconds", 0.0)))
        curves = (fitted if whole is None else whole).curves
        results.append(FoldResult(answers, seconds, searching, fitted.settings, curves))
        graph = export(fitted, valid, answers, contest.task) if graph is None else graph
        notes = notes_of(fitted)
        if number + 1 < len(contest.folds):
            if clock.left() < LATE * seconds:
                break
            verdict = verdict_so_far(results, contest, rival)
            if verdict is not None:
                return dropped(entrant.card.name, results, contest, verdict, estimate)
    if not results:
        raise TrainingError("there is no fold to train on")
    return finished(entrant.card.name, results, graph, contest, estimate, notes=notes)


def share_clock(clock: Clock, *, fits_left: int) -> Clock:
    """Return the part of the time left that the next of `fits_left` fits may use."""
    return clock if clock.left() == float("inf") else Clock.after(clock.left() / fits_left)


def checked_answers(answers: np.ndarray, rows: int, task: Task) -> np.ndarray:
    """Return float32 answers; raise `TrainingError` where they are not finite or of the wrong shape."""
    expected = (rows,) if task.kind == "regress" else (rows, task.width)
    if answers.shape != expected or not np.isfinite(answers).all():
        raise TrainingError(
            "the trained model gives no usable answers",
            expected=f"finite numbers of shape {expected}",
            got=f"shape {answers.shape}, {int((~np.isfinite(answers)).sum())} not finite",
        )
    return answers.astype(np.float32, copy=False)


def export(fitted: Fitted, valid: Examples, answers: np.ndarray, task: Task) -> Graph | None:
    """Return the graph of a fitted candidate, if it has one, after checking that it agrees with the trained model."""
    graph = fitted.graph()
    if graph is None:
        return None
    if task.kind == "generate":
        few = valid.rows.head(PARITY_TEXTS)
        check_text_parity(judge_graph(graph, few), fitted.predict(few))
        return graph
    rows = valid.rows.head(PARITY_ROWS)
    check_parity(graph, columns_of(rows), answers[:PARITY_ROWS])
    return graph


def columns_of(rows: object) -> Mapping[str, Cells]:
    """Return a frame's columns by name, as the runtime reads them."""
    return rows.to_dict(as_series=True)  # type: ignore[attr-defined, no-any-return]


def verdict_so_far(results: list[FoldResult], contest: Contest, rival: Outcome | None) -> str | None:
    """Return why the candidate should not see its remaining folds, or None."""
    if rival is None or rival.answers is None:
        return None
    answers = np.concatenate([result.answers for result in results])[: len(rival.answers)]
    truth, theirs = contest.truth[: len(answers)], rival.answers[: len(answers)]
    difference = row_losses(answers, truth, contest.task) - row_losses(theirs, truth, contest.task)
    error = float(difference.std() / np.sqrt(len(difference))) + 1e-12
    mine = quick_metric(contest.metric, truth, answers, contest.task, positive=contest.positive)
    best = quick_metric(contest.metric, truth, theirs, contest.task, positive=contest.positive)
    worse = mine < best if greater_is_better(contest.metric) else mine > best
    if worse and float(difference.mean()) / error > LOSER_SIGMAS:
        folds = f"{len(results)} of {len(contest.folds)} folds"
        return f"clearly behind {rival.name} ({best:.4f} on the same rows) after {folds}"
    return None


def dropped(name: str, results: list[FoldResult], contest: Contest, reason: str, estimate: Estimate) -> Outcome:
    """Return the outcome of a candidate that was stopped early, with the metrics of the folds it saw."""
    answers = np.concatenate([result.answers for result in results])
    truth = contest.truth[: len(answers)]
    return Outcome(
        name,
        "dropped",
        reason,
        metrics=all_metrics(answers, truth, contest),
        estimated_seconds=estimate.seconds,
        fit_seconds=sum(result.seconds for result in results),
        fits=len(results),
        curves=results[0].curves,
    )


def finished(
    name: str,
    results: list[FoldResult],
    graph: Graph | None,
    contest: Contest,
    estimate: Estimate,
    *,
    notes: tuple[str, ...] = (),
) -> Outcome:
    """Return the outcome of a candidate that went all the way, or as many folds as the time allowed."""
    late = len(results) < len(contest.folds)
    told = [f"judged on {len(results)} of {len(contest.folds)} folds: the time ran out"] if late else []
    outcome = Outcome(
        name,
        "ok",
        "; ".join([*told, *notes]),
        estimated_seconds=estimate.seconds,
        fit_seconds=sum(result.seconds for result in results),
        tuning_seconds=sum(result.searching for result in results),
        row_seconds=estimate.row_seconds,
        fits=len(results),
        settings=merge_settings([result.settings for result in results]),
        curves=results[0].curves,
        graph=graph,
        answers=np.concatenate([result.answers for result in results]),
    )
    return judged(outcome, contest)


def judged(outcome: Outcome, contest: Contest) -> Outcome:
    """Return a finished outcome calibrated, scored, measured and held to the limits."""
    outcome = calibrated(outcome, contest)
    assert outcome.answers is not None
    metrics = all_metrics(outcome.answers, contest.truth[: len(outcome.answers)], contest)
    return held_to_limits(measured(replace(outcome, metrics=metrics), contest), contest.limits)


def all_metrics(answers: np.ndarray, truth: np.ndarray, contest: Contest) -> dict[str, float]:
    """Return every metric of the task."""
    return {
        name: quick_metric(name, truth, answers, contest.task, positive=contest.positive)
        for name in metric_names(contest.task)
    }


def measured(outcome: Outcome, contest: Contest) -> Outcome:
    """Return the outcome with latency and size of its graph, taken through the runtime, and memory if it is limited.

    Where it is not, memory decides nothing and is measured beside the tournament (`Footprints`).
    """
    if outcome.graph is None:
        return outcome
    limited = "memory_mb" in contest.limits
    if contest.task.kind == "generate":
        figures = measure_decoder(outcome.graph, memory=limited)
    else:
        figures = measure(outcome.graph, measured_columns(contest), memory=limited, bulk=False)
    return replace(
        outcome,
        latency_p50_ms=figures.latency_p50_ms,
        latency_p95_ms=figures.latency_p95_ms,
        size_mb=figures.size_mb,
        memory_mb=figures.memory_mb if limited else None,
    )


def measured_columns(contest: Contest) -> Mapping[str, Cells]:
    """Return the validation rows on which candidates are measured, by column."""
    return columns_of(contest.examples.rows[contest.folds[0].valid[:MEASURED_ROWS]])


def held_to_limits(outcome: Outcome, limits: Mapping[str, float]) -> Outcome:
    """Return the outcome, marked `over_limit` with its reason where it needs more than is allowed."""
    over = [
        f"{limit} {value:.3g} > {ceiling:.3g}"
        for limit, ceiling in limits.items()
        if (value := getattr(outcome, limit)) is not None and value > ceiling
    ]
    return replace(outcome, status="over_limit", reason="; ".join(over)) if over else outcome


def merge_settings(settings: list[Settings]) -> Settings:
    """Merge the settings that each fold chose: the median of numbers, else the most frequent value."""
    merged: dict[str, float | int | str | bool] = {}
    for key, first in settings[0].items():
        values = [one[key] for one in settings if key in one]
        if isinstance(first, bool | str):
            merged[key] = max(values, key=values.count)
        else:
            middle = sorted(values)[len(values) // 2]  # a value that was tried, not a mean that never was
            merged[key] = middle
    return merged
