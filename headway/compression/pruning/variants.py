"""Ways of cutting a graph, each trained again and then quantised."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from headway.compression.distilling.lessons import lesson_of
from headway.compression.pruning.blueprint import Blueprint, read_blueprint, write_blueprint
from headway.compression.pruning.groups import find_channels, find_heads, find_spans
from headway.compression.quantising.contents import contents_of
from headway.compression.quantising.trained import quantise_trained
from headway.compression.subject import Subject
from headway.compression.verdict import Made, Variant
from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.family import Examples
from headway.package.graph import Graph

# Of the time left, what the judge's version may take; that of all rows wants as much again.
SHARE = 0.45
HELD_BACK = 0.1
# Products and convolutions smaller than this (MB) are not worth cutting.
WORTH = 0.25
# Training takes about so many times what answering takes, for each row.
_STEP = 4.0
_PROBED = 64


@dataclass(frozen=True)
class Cut:
    """What is kept: shares of layers, of the heads and of the channels between two layers."""

    name: str
    layers: float = 1.0
    heads: float = 1.0
    channels: float = 1.0


ENCODER_CUTS = (
    Cut("two thirds of the layers", layers=2 / 3),
    Cut("half of heads and channels", heads=0.5, channels=0.5),
)
DEEPEST_CUT = Cut("two thirds of the layers, half of heads and channels", layers=2 / 3, heads=0.5, channels=0.5)
OTHER_CUTS = (Cut("two thirds of the channels", channels=2 / 3), Cut("a third of the channels", channels=1 / 3))


def pruned_variants(subject: Subject, *, deepest: bool = False) -> tuple[Variant, ...]:
    """Return the ways of cutting what ships; none where torch is missing or nothing can be taken out as a whole.

    `deepest`: what takes out layers and, of the others, heads and channels, instead of one or the other.
    """
    held = contents_of(subject.shipped.onnx)
    if importlib.util.find_spec("torch") is None or held.products + held.convolutions < WORTH:
        return ()
    blueprint = read_blueprint(subject.shipped.onnx)
    heads, spans = find_heads(blueprint), find_spans(blueprint)
    cuts: tuple[Cut, ...]
    if deepest:
        cuts = (DEEPEST_CUT,) if heads and spans else ()
    elif heads or spans:
        cuts = ENCODER_CUTS
    else:
        cuts = OTHER_CUTS if find_channels(blueprint) else ()
    return tuple(Variant(cut.name, "pruned", _Workshop(subject, cut).make, _estimator(subject)) for cut in cuts)


def _estimator(subject: Subject) -> Callable[[], float]:
    def estimate() -> float:
        from headway.package.opening import open_graph
        from headway.training.trial import columns_of

        few = columns_of(subject.exam.rows.head(_PROBED))
        opened = open_graph(subject.judged)
        began = time.perf_counter()
        opened.run(few)
        pace = (time.perf_counter() - began) / min(_PROBED, len(subject.exam))
        return 2 * _STEP * pace * len(subject.fold.train)

    return estimate


@dataclass(frozen=True)
class _Workshop:
    """One way of cutting the subject."""

    subject: Subject
    cut: Cut

    def make(self, clock: Clock) -> Made:
        """Cut the judged model, train it on the fold's rows, some of which tell when to stop, and quantise it."""
        subject = self.subject
        clock = clock if clock.left() == float("inf") else Clock.after(SHARE * clock.left())
        order = np.random.default_rng(subject.seed).permutation(subject.fold.train)
        held = max(1, int(HELD_BACK * len(order)))
        learners, valid = (subject.examples.take(np.sort(part)) for part in (order[held:], order[:held]))
        graph, epochs = self._made(subject.judged, learners, valid, None, clock)
        return quantise_trained(self.cut.name, "pruned", graph, lambda later: self._graduate(epochs, later), subject)

    def _graduate(self, epochs: int, clock: Clock) -> Graph:
        subject = self.subject
        return self._made(subject.shipped, subject.examples.take(subject.train), None, epochs, clock)[0]

    def _made(
        self, graph: Graph, learners: Examples, valid: Examples | None, epochs: int | None, clock: Clock
    ) -> tuple[Graph, int]:
        """Return a graph that was cut and trained, and the number of epochs that were best."""
        from headway.compression.pruning.recovery import EPOCHS, Course, recovered

        subject = self.subject
        smaller = self._cut(graph, learners)
        if epochs != 0:
            taught = lesson_of(learners, graph, subject.task, clock=clock, seed=subject.seed)
            course = Course(graph, taught, valid, subject.task, epochs or EPOCHS, subject.seed)
            smaller, epochs = recovered(smaller, course, clock)
        return replace(graph, model=write_blueprint(smaller)), epochs or 0

    def _cut(self, graph: Graph, learners: Examples) -> Blueprint:
        from headway.compression.pruning.choosing import Evidence, keep_groups, leave_out
        from headway.compression.pruning.cutting import cut

        wish, evidence = self.cut, Evidence(graph, learners, self.subject.task)
        blueprint = read_blueprint(graph.onnx)
        spans = find_spans(blueprint)
        gone = round((1 - wish.layers) * len(spans))
        if gone:
            blueprint = leave_out(blueprint, spans, gone, evidence)
        for groups, share in ((find_heads(blueprint), wish.heads), (find_channels(blueprint), wish.channels)):
            if groups and share < 1:
                blueprint = cut(blueprint, keep_groups(blueprint, groups, share, evidence))
        if len(write_blueprint(blueprint)) >= graph.size:
            raise TrainingError("nothing can be taken out of this graph as a whole")
        return blueprint
