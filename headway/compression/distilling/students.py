"""Who may learn from a large model: the small families that read the same rows and are installed here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.compression.distilling.lessons import Lesson, lesson_of
from headway.compression.quantising.trained import quantise_trained
from headway.compression.subject import Subject
from headway.compression.verdict import Made, Variant
from headway.compute.clock import Clock
from headway.evaluation.calibration import Temperature, fit_temperature
from headway.models.family import Examples, Family, Fitted, Settings, discover
from headway.package.combining import calibrate
from headway.package.graph import Graph
from headway.package.parity import check_parity
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from headway.training.trial import PARITY_ROWS, columns_of

# From the fastest on.
STUDENTS = ("ngram_linear", "bag", "text_cnn", "lstm", "linear", "mlp", "pixels_linear", "cnn")
# Of the rows that the judge's student may learn from, those that choose its settings.
HELD_BACK = 0.1
# A lesson has about so many rows for each labelled one, by which an estimate on labelled rows is to be multiplied.
LONGER = 3.0
# Of the time left, what one student may take for the judge; making it of all rows wants as much again.
SHARE = 0.4


def distilled_variants(subject: Subject, *, winner: str) -> tuple[Variant, ...]:
    """Return a student of each small family that can read the rows and is not the model itself."""
    registry = discover()
    present = frozenset(column.modality for column in subject.examples.inputs)
    names = [
        name
        for name in STUDENTS
        if name != winner
        and (card := registry.cards[name]).takes_part(present)
        and subject.task.kind in card.tasks
        and (card.extra is None or card.missing() is None)
    ]
    return tuple(_variant(subject, name, registry.load(name)) for name in names)


def _variant(subject: Subject, name: str, family: Family) -> Variant:
    def estimate() -> float:
        learners = subject.examples.take(subject.fold.train)
        found = family.estimate(learners, subject.task, Recipe(), seed=subject.seed)
        return 2 * LONGER * found.seconds

    return Variant(f"{name} student", "distilled", _School(subject, name, family).teach, estimate)


@dataclass(frozen=True)
class _School:
    """One family that learns from the subject."""

    subject: Subject
    name: str
    family: Family

    def teach(self, clock: Clock) -> Made:
        """Let a student learn from the judged model, on the fold's rows; some of them choose its settings."""
        subject = self.subject
        clock = _part(clock, SHARE)
        order = np.random.default_rng(subject.seed).permutation(subject.fold.train)
        held = max(1, int(HELD_BACK * len(order)))
        learners, valid = (subject.examples.take(np.sort(part)) for part in (order[held:], order[:held]))
        lesson = lesson_of(learners, subject.judged, subject.task, clock=clock, seed=subject.seed)
        fitted = self._fit(lesson, valid, None, clock)
        answers = fitted.predict(valid.rows)
        temperature = fit_temperature(answers, valid.y) if isinstance(subject.task, Classify) else Temperature()
        graph = self._graph(fitted, valid, temperature)

        def graduate(later: Clock) -> Graph:
            return self._graduate(fitted.settings, temperature, later)

        return quantise_trained(f"{self.name} student", "distilled", graph, graduate, subject)

    def _graduate(self, settings: Settings, temperature: Temperature, clock: Clock) -> Graph:
        """Return a student of what ships, of all rows, with the settings that were found."""
        subject = self.subject
        examples = subject.examples.take(subject.train)
        lesson = lesson_of(examples, subject.shipped, subject.task, clock=clock, seed=subject.seed)
        return self._graph(self._fit(lesson, None, settings, clock), examples, temperature)

    def _fit(self, lesson: Lesson, valid: Examples | None, settings: Settings | None, clock: Clock) -> Fitted:
        subject = self.subject
        return self.family.fit(
            lesson.examples, valid, subject.task, Recipe(), settings=settings, seed=subject.seed, clock=clock
        )

    def _graph(self, fitted: Fitted, examples: Examples, temperature: Temperature) -> Graph:
        """Export a student, prove that it answers as it was trained, and calibrate it."""
        rows = examples.rows.head(PARITY_ROWS)
        graph = fitted.graph()
        assert graph is not None  # every family of students ships
        check_parity(graph, columns_of(rows), fitted.predict(rows))
        if temperature.changes:
            bias = None if temperature.bias is None else np.asarray(temperature.bias, np.float32)
            graph = calibrate(graph, temperature=temperature.temperature, bias=bias)
        return graph


def _part(clock: Clock, share: float) -> Clock:
    """Return a part of the time left, all of it where nobody is waiting."""
    return clock if clock.left() == float("inf") else Clock.after(share * clock.left())
