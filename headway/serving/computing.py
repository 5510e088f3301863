"""Some tickets through a model at once: grouped by length, and one bad row spoils no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headway.errors import InputError
from headway.runtime import Answers, Model
from headway.runtime.feeds import BadCellError, encode
from headway.runtime.feeds.cells import shown
from headway.runtime.manifest import CategoryFeed, DateFeed, Feed, Label, Manifest, NumberFeed, RowFeed
from headway.serving.batching import Answer, Columns, Outcome, Ticket
from headway.serving.pace import Pace
from headway.serving.refusals import FieldProblem, wrong_input

# Digits of a probability that are sent; the graph itself is proven to 1e-4.
_DIGITS = 6


def make_compute(model: Model, pace: Pace) -> Callable[[list[Ticket]], list[Outcome]]:
    """Return the function that answers a batch with `model`."""

    def compute(batch: list[Ticket]) -> list[Outcome]:
        try:
            return list(_answer(model, pace, batch))
        except InputError:
            return _answer_sound(model, pace, batch)

    return compute


def find_problems(model: Model, columns: Columns, rows: int) -> list[FieldProblem]:
    """Return every cell that the model cannot read, row by row."""
    told = set(model.told)
    feeds = [part for feed in model.predictor.feeds for part in _single_columns(feed) if not told & set(part.columns)]
    found: dict[tuple[int, str], FieldProblem] = {}
    for row in range(rows):
        for feed in feeds:
            name = feed.columns[0]
            problem = _problem(feed, name, columns[name][row], row, model.predictor.files)
            if problem is not None:
                found.setdefault((row, name), problem)
        forgotten = _history_problem(model, columns, row)
        if forgotten is not None:
            found.setdefault((row, forgotten.field), forgotten)
    return list(found.values())


def _history_problem(model: Model, columns: Columns, row: int) -> FieldProblem | None:
    """Return why a row cannot be told its past, or None: a cell that cannot be read, or a time that is forgotten."""
    if model.memory is None or not model.told:
        return None
    try:
        model.memory.recall({name: [columns[name][row]] for name in model.memory.columns})
    except BadCellError as error:
        return FieldProblem(row, error.column, error.expected, shown(error.got))
    return None


def _problem(feed: Feed, name: str, cell: Any, row: int, files: Mapping[str, bytes]) -> FieldProblem | None:
    """Return what is wrong with one cell, or None."""
    try:
        encode(feed, {name: [cell]}, files=files)
    except BadCellError as error:
        got = error.got if isinstance(error.got, str) and feed.kind == "image" else shown(error.got)
        expected = "a picture as base64 text or as a file of a form" if feed.kind == "image" else error.expected
        return FieldProblem(row, name, expected, got)
    return None


def _single_columns(feed: Feed) -> list[Feed]:
    """Return the feed once for each of its columns, so that a bad cell hides no other."""
    if isinstance(feed, NumberFeed | CategoryFeed | DateFeed):
        return [replace(feed, columns=(name,)) for name in feed.columns]
    if isinstance(feed, RowFeed):
        pairs = zip(feed.columns, feed.kinds, strict=True)
        return [replace(feed, columns=(name,), kinds=(kind,)) for name, kind in pairs]
    return [feed]


def _answer_sound(model: Model, pace: Pace, batch: list[Ticket]) -> list[Outcome]:
    """Answer the tickets whose cells can all be read; the others get their problems."""
    outcomes: list[Outcome] = []
    for ticket in batch:
        problems = find_problems(model, ticket.columns, ticket.rows)
        outcomes.append(wrong_input(problems) if problems else [])
    sound = [ticket for ticket, outcome in zip(batch, outcomes, strict=True) if not isinstance(outcome, Exception)]
    answered = iter(_answer(model, pace, sound)) if sound else iter(())
    return [outcome if isinstance(outcome, Exception) else next(answered) for outcome in outcomes]


def _answer(model: Model, pace: Pace, batch: Sequence[Ticket]) -> list[list[Answer]]:
    """Return the answers of each ticket; raises `InputError` for a cell that cannot be read."""
    if len(batch) == 1:
        return [to_answers(model.predict_columns(batch[0].columns), model.manifest)]
    answers: list[list[Answer]] = [[] for _ in batch]
    for group in group_by_length([ticket.rows for ticket in batch], [ticket.items for ticket in batch], pace):
        tickets = [batch[position] for position in group]
        columns = {name: [cell for ticket in tickets for cell in ticket.columns[name]] for name in tickets[0].columns}
        all_rows = to_answers(model.predict_columns(columns), model.manifest)
        start = 0
        for position, ticket in zip(group, tickets, strict=True):
            answers[position] = all_rows[start : start + ticket.rows]
            start += ticket.rows
    return answers


def group_by_length(rows: Sequence[int], items: Sequence[int], pace: Pace) -> list[list[int]]:
    """Return the positions of tickets in groups that are computed together.

    Longest first; a cut is made where the padding it saves costs more, as measured, than one more call of the model.
    """
    order = sorted(range(len(rows)), key=lambda position: -items[position])
    if not pace.has_text:
        return [order]
    left = sum(rows)
    groups: list[list[int]] = []
    for position in order:
        saved = (items[groups[-1][0]] - items[position]) * left * pace.item if groups else 0.0
        if not groups or saved > pace.call:
            groups.append([])
        groups[-1].append(position)
        left -= rows[position]
    return groups


def to_answers(answers: Answers, manifest: Manifest) -> list[Answer]:
    """Return the answers as they are sent: of several targets each under its name, and above them what is answered."""
    if not manifest.targets:
        return _to_answers(answers, manifest.labels)
    names = [part.target for part in manifest.parts]
    parts = [_to_answers(answers.targets[part.target], part.labels) for part in manifest.parts]
    return [
        {
            "prediction": {name: own["prediction"] for name, own in zip(names, row, strict=True)},
            "targets": dict(zip(names, row, strict=True)),
        }
        for row in zip(*parts, strict=True)
    ]


def _to_answers(answers: Answers, labels: Sequence[Label]) -> list[Answer]:
    """Return the answers for one target."""
    predictions = answers.predictions.tolist()
    if answers.probabilities is None or answers.confidence is None:
        # A float32 has about seven digits; more of them would be noise of the conversion.
        return [{"prediction": float(f"{value:.7g}")} for value in predictions]
    names = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]
    rounded = np.round(answers.probabilities.astype(np.float64), _DIGITS).tolist()
    confidence = np.round(answers.confidence.astype(np.float64), _DIGITS).tolist()
    return [
        {"prediction": label, "confidence": sure, "probabilities": dict(zip(names, row, strict=True))}
        for label, sure, row in zip(predictions, confidence, rounded, strict=True)
    ]
