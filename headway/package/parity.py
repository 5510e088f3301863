"""Whether the exported graph and the trained model agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headway.errors import ParityError
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.runtime.feeds import Cells
from headway.runtime.predictor import Predictor

TOLERANCE = 1e-4
TEXT_TOLERANCE = 1e-3


def check_parity(graph: Graph, columns: Mapping[str, Cells], expected: np.ndarray) -> None:
    """Raise `ParityError` with figures unless the graph answers as the trained model did on the same rows.

    `expected`: float32 `[rows, labels]` probabilities, or `[rows]` (or `[rows, 1]`) values; those of several targets
    side by side, each judged for itself. Every probability must lie
    within 1e-4 and every decision be the same (two labels closer than that count as tied); every value must lie within
    1e-4 of the values' standard deviation, or of their size where they hardly vary.
    """
    predictor = open_graph(graph)
    answers = predictor.run(columns)
    wanted = np.asarray(expected, dtype=np.float64).reshape(len(expected), -1)
    if answers.shape != wanted.shape:
        raise ParityError("the graph answers in another shape", expected=str(wanted.shape), got=str(answers.shape))
    if not np.isfinite(answers).all():
        raise ParityError(
            "the graph answers numbers that are not finite", got=f"{_bad_rows(~np.isfinite(answers))} rows"
        )
    start = 0
    for output, width in zip(predictor.outputs, _widths(predictor, answers.shape[1]), strict=True):
        own = slice(start, start + width)
        compare = _compare_values if output.startswith("values") else _compare_probabilities
        compare(answers[:, own], wanted[:, own])
        start += width


def _widths(predictor: Predictor, figures: int) -> tuple[int, ...]:
    """Return how many figures of an answer each output gives."""
    return predictor.widths if len(predictor.outputs) > 1 else (figures,)


def check_text_parity(answers: np.ndarray, expected: np.ndarray) -> None:
    """Raise `ParityError` unless graph and trained model find the same texts equally likely.

    Both `[rows, 2]`: nats and tokens. The nats a token may differ by 1e-3, what float32 sums in another order give.
    """
    away = np.abs(answers[:, 0] - expected[:, 0]) / np.maximum(expected[:, 1], 1)
    if (answers[:, 1] != expected[:, 1]).any() or not (away <= TEXT_TOLERANCE).all():
        raise ParityError(
            "the exported graph and the trained model disagree",
            expected=f"the same tokens, their likelihood within {TEXT_TOLERANCE:g} nats a token",
            got=f"{int((~(away <= TEXT_TOLERANCE)).sum())} of {len(away)} texts further away, at most {away.max():.3g}",
            fix="this is a fault in the candidate's export: report it, and leave the candidate out of `models`",
        )


def _compare_probabilities(answers: np.ndarray, wanted: np.ndarray) -> None:
    """Compare probabilities and decisions."""
    away = np.abs(answers - wanted)
    rows = np.arange(len(wanted))
    lost = wanted.max(axis=1, initial=0) - wanted[rows, answers.argmax(axis=1)]
    changed = int((lost > TOLERANCE).sum())
    if changed or away.max(initial=0) > TOLERANCE:
        raise ParityError(
            "the exported graph and the trained model disagree",
            expected=f"the same decisions, probabilities within {TOLERANCE:g}",
            got=f"{changed} of {len(wanted)} decisions changed, {_bad_rows(away > TOLERANCE)} rows away by more than "
            f"{TOLERANCE:g}, the largest difference is {away.max():.2g}",
            fix="this is a fault in the candidate's export: report it, and leave the candidate out of `models`",
        )


def _compare_values(answers: np.ndarray, wanted: np.ndarray) -> None:
    """Compare values in units of their spread."""
    away = np.abs(answers - wanted)
    scale = max(float(wanted.std()), float(np.abs(wanted).mean()) * 1e-2, 1e-9) if wanted.size else 1.0
    if away.max(initial=0) > TOLERANCE * scale:
        raise ParityError(
            "the exported graph and the trained model disagree",
            expected=f"values within {TOLERANCE * scale:.3g}",
            got=f"{_bad_rows(away > TOLERANCE * scale)} of {len(wanted)} rows further away, at most {away.max():.3g}",
            fix="this is a fault in the candidate's export: report it, and leave the candidate out of `models`",
        )


def _bad_rows(bad: np.ndarray) -> int:
    """Return in how many rows something is bad."""
    return int(bad.any(axis=1).sum())
