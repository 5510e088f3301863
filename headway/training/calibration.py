"""Calibrating outcomes: the same temperature on the validation answers and in the graph that ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headway.evaluation.calibration import Temperature, fit_temperature
from headway.package.combining import calibrate
from headway.package.graph import Graph
from headway.training.contest import Contest
from headway.training.outcome import Outcome


def calibrated(outcome: Outcome, contest: Contest) -> Outcome:
    """Return a classifier's outcome with its answers and graph calibrated; any other outcome as it is."""
    if contest.task.kind != "classify" or outcome.answers is None or outcome.graph is None:
        return outcome
    temperature = fit_temperature(outcome.answers, contest.truth[: len(outcome.answers)])
    found = replace(outcome, temperature=temperature.temperature, bias=temperature.bias or ())
    return replace(
        found, answers=calibrate_answers(outcome.answers, found), graph=calibrate_graph(outcome.graph, found)
    )


def calibrate_answers(answers: np.ndarray, outcome: Outcome) -> np.ndarray:
    """Apply an outcome's calibration to raw answers, float32 `[n, labels]`; values of a regression stay."""
    temperature = temperature_of(outcome)
    return answers if temperature is None else temperature.apply(answers)


def calibrate_graph(graph: Graph, outcome: Outcome) -> Graph:
    """Append an outcome's calibration to a graph that gives raw answers."""
    temperature = temperature_of(outcome)
    if temperature is None:
        return graph
    bias = None if temperature.bias is None else np.asarray(temperature.bias, dtype=np.float32)
    return calibrate(graph, temperature=temperature.temperature, bias=bias)


def temperature_of(outcome: Outcome) -> Temperature | None:
    """Return an outcome's calibration, None where it changes nothing."""
    if outcome.temperature == 1.0 and not outcome.bias:
        return None
    return Temperature(outcome.temperature, outcome.bias or None)
