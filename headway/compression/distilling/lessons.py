"""What a student learns from: rows with the teacher's answers, further rows without labels, and pieces of texts.

Families learn from labels, not from probabilities. A row whose answer is uncertain becomes several rows, one for each
likely label, weighted by its probability: the mean log loss over them is the cross-entropy with the teacher's answer
(Hinton et al. 2015, "Distilling the knowledge in a neural network", with temperature 1), whatever the family.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.models.family import Examples
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.tasks import Classify, Task
from headway.training.trial import columns_of

# How much the teacher's answer counts beside the label, where there is one (Hinton et al. 2015, section 2).
TEACHER = 0.5
# Labels of one row at most, and what a label has to be given to be among them.
MOST_LABELS, LEAST_SHARE = 4, 0.02
# Rows without labels for each labelled one at most, pieces of texts among them.
MOST_MORE = 3
# Of the time, what the teacher may take for answering rows without labels.
TEACHING_SHARE = 0.3
_TIMED = 64


@dataclass(frozen=True)
class Lesson:
    """Rows with weights, each label of a row a row of its own; `rows` is how many there were before that."""

    examples: Examples
    rows: int


def lesson_of(examples: Examples, teacher: Graph, task: Task, *, clock: Clock, seed: int) -> Lesson:
    """Return what a student learns from: labelled `examples`, and as many more as the teacher has time to answer.

    Where it has no time for the labelled ones either, they are learnt from by their labels alone.
    """
    seen = replace(examples, support=replace(examples.support, unlabelled=None))
    most = rows_in_time(examples, teacher, clock)
    answers = _answers(teacher, examples.rows) if most >= len(examples) else None
    more = _more_rows(examples, most if answers is None else most - len(examples), seed=seed)
    if not isinstance(task, Classify):
        mixed = examples.y if answers is None else TEACHER * answers[:, 0] + (1 - TEACHER) * examples.y
        return _values(seen, mixed, more, teacher)
    shares = np.eye(task.width, dtype=np.float32)[examples.y]
    if answers is not None:
        shares = TEACHER * answers + (1 - TEACHER) * shares
    weight = np.ones(len(examples), np.float32) if examples.weight is None else examples.weight
    rows = examples.rows
    if more is not None:
        rows = pl.concat([rows, more])
        shares = np.concatenate([shares, _answers(teacher, more)])
        weight = np.concatenate([weight, np.ones(more.height, np.float32)])
    places, labels, parts = divided(shares)
    spread = replace(seen, rows=rows[places], y=labels, weight=(weight[places] * parts).astype(np.float32))
    return Lesson(spread, rows.height)


def rows_in_time(examples: Examples, teacher: Graph, clock: Clock) -> int:
    """Return how many rows the teacher can answer in its share of the time, no more than are wanted."""
    wanted = (1 + MOST_MORE) * len(examples)
    opened, few = open_graph(teacher), columns_of(examples.rows.head(_TIMED))
    began = time.perf_counter()
    opened.run(few)
    pace = (time.perf_counter() - began) / min(_TIMED, len(examples))
    return int(min(wanted, TEACHING_SHARE * clock.left() / max(pace, 1e-9)))


def divided(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, labels and weights, `[m]` each, of answers `[n, labels]`; the weights of a row sum to 1.

    A row has its most probable labels, no more than `MOST_LABELS`, and those alone that have `LEAST_SHARE`.
    """
    order = np.argsort(-shares, axis=1, kind="stable")[:, :MOST_LABELS]
    taken = np.take_along_axis(shares, order, axis=1)
    kept = taken >= LEAST_SHARE
    kept[:, 0] = True
    taken = np.where(kept, taken, 0)
    taken /= taken.sum(axis=1, keepdims=True)
    places, columns = np.nonzero(kept)
    return places, order[places, columns].astype(np.int64), taken[places, columns]


def _values(seen: Examples, mixed: np.ndarray, more: pl.DataFrame | None, teacher: Graph) -> Lesson:
    """Return the lesson of a regression: values half way between the teacher's and the true ones."""
    y, weight = mixed.astype(np.float32), seen.weight
    if more is None:
        return Lesson(replace(seen, y=y), len(seen))
    y = np.concatenate([y, _answers(teacher, more)[:, 0]]).astype(np.float32)
    weight = None if weight is None else np.concatenate([weight, np.ones(more.height, np.float32)])
    return Lesson(replace(seen, rows=pl.concat([seen.rows, more]), y=y, weight=weight), len(y))


def _more_rows(examples: Examples, most: int, *, seed: int) -> pl.DataFrame | None:
    """Return rows without labels: those the run has, then some made of pieces of texts; None where there are none."""
    parts = []
    unlabelled = examples.support.unlabelled
    if unlabelled is not None:
        parts.append(unlabelled.select(examples.rows.columns).sample(min(most, unlabelled.height), seed=seed))
    left = most - sum(part.height for part in parts)
    if left > 0 and examples.columns("text") and not _other_inputs(examples):
        parts.append(pieces(examples.rows, left, seed=seed))
    return pl.concat(parts) if sum(part.height for part in parts) else None


def _other_inputs(examples: Examples) -> bool:
    return any(column.modality != "text" for column in examples.inputs)


def pieces(rows: pl.DataFrame, count: int, *, seed: int) -> pl.DataFrame:
    """Return `count` rows of texts made of a stretch of one text, every second one joined to a stretch of another.

    Cut between words where there are blanks, else between characters (Tang et al. 2019, "Distilling task-specific
    knowledge from BERT into simple neural networks", section 3.3, whose n-gram sampling this is).
    """
    generator = np.random.default_rng(seed)
    columns = {}
    for name in rows.columns:
        texts = rows[name].fill_null("").to_list()
        made = []
        for number in range(count):
            first = _stretch(texts[int(generator.integers(len(texts)))], generator)
            second = _stretch(texts[int(generator.integers(len(texts)))], generator) if number % 2 else ""
            made.append(f"{first} {second}" if second and " " in first + second else first + second)
        columns[name] = made
    return pl.DataFrame(columns, schema=rows.schema)


def _stretch(text: str, generator: np.random.Generator) -> str:
    """Return between a third and all of a text, in one piece."""
    words = text.split(" ") if " " in text.strip() else list(text)
    size = int(np.ceil(len(words) * generator.uniform(1 / 3, 1)))
    start = int(generator.integers(0, max(1, len(words) - size + 1)))
    return (" " if " " in text.strip() else "").join(words[start : start + size])


def _answers(teacher: Graph, rows: pl.DataFrame) -> np.ndarray:
    return open_graph(teacher).run(columns_of(rows))
