"""Each scheme that fits a graph as a variant to be tried."""

from __future__ import annotations

from collections.abc import Callable

from headway.compression.quantising.contents import contents_of
from headway.compression.quantising.schemes import PACE, Scheme, inputs_of, schemes_for, shrunk
from headway.compression.subject import Subject
from headway.compression.verdict import Made, Variant
from headway.compute.clock import Clock
from headway.package.graph import Graph


def quantised_variants(subject: Subject) -> tuple[Variant, ...]:
    """Return what can be done with the weights as they are, the most promising first."""
    contents = contents_of(subject.shipped.onnx)
    return tuple(
        Variant(scheme.name, "quantised", _maker(subject, scheme), lambda: 0.5 + PACE * contents.total)
        for scheme in schemes_for(contents)
    )


def _maker(subject: Subject, scheme: Scheme) -> Callable[[Clock], Made]:
    def make(clock: Clock) -> Made:
        del clock
        graph = _shrunk(subject, subject.judged, scheme)
        return Made(graph, lambda _: _shrunk(subject, subject.shipped, scheme) if subject.is_refitted else graph)

    return make


def _shrunk(subject: Subject, graph: Graph, scheme: Scheme) -> Graph:
    return shrunk(graph, scheme, inputs_of(graph, subject.calibration))
