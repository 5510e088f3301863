"""Calibrating outcomes: the same temperatures on the validation answers and in the graph that ships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headway.evaluation.calibration import Temperature, fit_temperature
from headway.package.combining import calibrate
from headway.package.graph import Graph
from headway.tasks import Classify, Several, Task
from headway.training.contest import Contest
from headway.training.outcome import Outcome


def calibrated(outcome: Outcome, contest: Contest) -> Outcome:
    """Return an outcome with its probabilities, and those of its graph, calibrated; values stay as they are."""
    if outcome.answers is None or outcome.graph is None:
        return outcome
    found = {}
    truth = contest.truth[: len(outcome.answers)]
    for output, rows, y, own in _questions(outcome.answers, truth, contest.task):
        temperature = fit_temperature(outcome.answers[rows][:, own], y)
        if temperature.changes:
            found[output] = temperature
    known = replace(outcome, calibrations=found)
    return replace(
        known,
        answers=calibrate_answers(outcome.answers, known, contest.task),
        graph=calibrate_graph(outcome.graph, known),
    )


def calibrate_answers(answers: np.ndarray, outcome: Outcome, task: Task) -> np.ndarray:
    """Apply an outcome's calibrations to raw answers, float32 `[n, ...]`; values stay."""
    if not outcome.calibrations:
        return answers
    changed = answers.copy()
    for output, own in _spans(task):
        if output in outcome.calibrations:
            changed[:, own] = outcome.calibrations[output].apply(answers[:, own])
    return changed


def calibrate_graph(graph: Graph, outcome: Outcome) -> Graph:
    """Append an outcome's calibrations to a graph that gives raw answers."""
    for output, temperature in outcome.calibrations.items():
        bias = None if temperature.bias is None else np.asarray(temperature.bias, dtype=np.float32)
        graph = calibrate(graph, temperature=temperature.temperature, bias=bias, output=output)
    return graph


def _spans(task: Task) -> Iterator[tuple[str, slice]]:
    """Yield the outputs that are probabilities, and their columns of an answer."""
    if isinstance(task, Classify):
        yield from ((output, slice(0, width)) for output, width in task.outputs.items())
    if isinstance(task, Several):
        for part, own in zip(task.parts, task.spans, strict=True):
            if isinstance(part.task, Classify):
                yield part.output, own


def _questions(
    answers: np.ndarray, truth: np.ndarray, task: Task
) -> Iterator[tuple[str, np.ndarray, np.ndarray, slice]]:
    """Yield each output of probabilities, the rows whose label is known, these labels, and its columns."""
    for output, own in _spans(task):
        if isinstance(task, Several):
            place = next(place for place, part in enumerate(task.parts) if part.output == output)
            yield output, *task.known(truth, place), own
        else:
            yield output, np.arange(len(answers)), truth, own


__all__ = ["Temperature", "calibrate_answers", "calibrate_graph", "calibrated"]
