"""A model that was just cut or taught, in few bits: under the scheme that fits it best, then under another."""

from __future__ import annotations

from collections.abc import Callable

from headway.compression.quantising.contents import contents_of
from headway.compression.quantising.schemes import FOUR, HALF, PACE, Scheme, inputs_of, schemes_for, shrunk
from headway.compression.subject import Subject
from headway.compression.verdict import Kind, Made, Variant
from headway.compute.clock import Clock
from headway.package.graph import Graph


def quantise_trained(name: str, kind: Kind, graph: Graph, graduate: Callable[[Clock], Graph], subject: Subject) -> Made:
    """Return `graph`, trained on the fold's rows in float32, under the most promising scheme that fits it.

    Training was dear and other bits are cheap: where this one passes the gate, int4 has its turn, where it loses too
    much, 16 bits have. `graduate` makes the same of all rows, once for all schemes.
    """
    contents = contents_of(graph.onnx)
    schemes = schemes_for(contents)
    graduated: list[Graph] = []

    def narrow(whole: Graph, scheme: Scheme | None) -> Graph:
        return whole if scheme is None else shrunk(whole, scheme, inputs_of(whole, subject.calibration))

    def ship(made: Graph, scheme: Scheme | None, clock: Clock) -> Graph:
        if not subject.is_refitted:
            return made
        if not graduated:
            graduated.append(graduate(clock))
        return narrow(graduated[0], scheme)

    def make(scheme: Scheme | None, following: Callable[[bool], Variant | None] = lambda _: None) -> Made:
        made = narrow(graph, scheme)
        return Made(made, lambda clock: ship(made, scheme, clock), following)

    def follow(passed: bool) -> Variant | None:
        scheme = FOUR if passed else HALF
        if scheme not in schemes[1:]:
            return None
        return Variant(f"{name}, {scheme.name}", kind, lambda _: make(scheme), lambda: 0.5 + PACE * contents.total)

    return make(schemes[0] if schemes else None, follow)
