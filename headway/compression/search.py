"""Try ways of making a model smaller, and keep the smallest and fastest one that passes the gate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from headway.compression.gate import change_between, complaints
from headway.compression.racing import race
from headway.compression.subject import Subject
from headway.compression.verdict import Chosen, Made, Search, Variant, Verdict
from headway.compute.clock import Clock
from headway.errors import HeadwayError
from headway.package.graph import Graph
from headway.package.measuring import Measured, measure_memory
from headway.package.opening import open_graph
from headway.package.parity import check_parity
from headway.tasks import Classify
from headway.training.trial import MEASURED_ROWS, columns_of

# A model that is slower than the original by more than this is not what is looked for, however small it is.
SLOWER = 1.15
# Size and time together have to fall below this share of the original's, or the original stays.
WORTH = 0.9
# Seconds that measuring one model takes, once and once more for its memory.
_MEASURING, _MEMORY = 1.5, 2.0
# Rows whose answers are timed.
_PROBED = 64
# Rows that are answered one by one, to see whether their neighbours matter.
_ALONE = 24

Listen = Callable[[Verdict], None]


@dataclass(frozen=True)
class Effort:
    """How much is tried. `thorough`: all ways, and their memory is measured too; else the first one that is good."""

    thorough: bool = True


THOROUGH = Effort()


def search(
    subject: Subject, variants: Sequence[Variant], *, drop: float, clock: Clock, effort: Effort, listen: Listen
) -> Search:
    """Try `variants` in their order while the clock allows and choose one.

    What is chosen lost at most `drop` (see `Change`) with its interval, meets the limits, is not slower than the
    original, and is smaller and faster than all others that are so. It is then made of all rows and meets the gate a
    second time, against what ships. `listen` hears each verdict as it is reached.
    """
    pace = _pace(subject)
    if clock.left() < 3 * pace + 2 * _MEASURING:
        late = f"needs about {3 * pace + 2 * _MEASURING:.0f} s, {clock.left():.0f} s are left"
        skipped = tuple(Verdict(variant.name, variant.kind, "skipped", late) for variant in variants)
        return Search((Verdict("original", "original", "original"), *skipped), drop)
    original = _answers(subject, subject.judged)
    tried = _try_all(subject, variants, original, drop=drop, clock=clock, pace=pace, effort=effort, listen=listen)
    measured = _measured([subject.judged, *(each.made.graph for each in tried if each.made)], subject, clock, effort)
    first = Verdict("original", "original", "original", measured=measured[0], change=None)
    figures = iter(measured[1:])
    weighed = [
        replace(each, verdict=replace(each.verdict, measured=next(figures))) if each.made else each for each in tried
    ]
    judged = [_held_to_gate(each, first.measured, subject, drop) for each in weighed]
    chosen, judged = _choose(judged, first.measured, subject, drop=drop, clock=clock)
    return Search((first, *(each.verdict for each in judged)), drop, chosen)


@dataclass(frozen=True)
class _Tried:
    """A verdict on its way, and what it is about."""

    verdict: Verdict
    variant: Variant
    made: Made | None = None


def _pace(subject: Subject) -> float:
    """Return about how many seconds the original takes for the rows that judge."""
    few = subject.exam.rows.head(_PROBED)
    opened = open_graph(subject.judged)
    began = time.monotonic()
    opened.run(columns_of(few))
    return (time.monotonic() - began) * len(subject.exam) / max(1, few.height)


def _answers(subject: Subject, graph: Graph) -> np.ndarray:
    """Return a graph's answers to the rows that judge, `[n, labels]` or `[n]`."""
    found = open_graph(graph).run(subject.exam_columns)
    return found if isinstance(subject.task, Classify) else found[:, 0]


def _try_all(
    subject: Subject,
    variants: Sequence[Variant],
    original: np.ndarray,
    *,
    drop: float,
    clock: Clock,
    pace: float,
    effort: Effort,
    listen: Listen,
) -> list[_Tried]:
    """Make the variants, each with what follows it, and compare their answers with the original's."""
    tried: list[_Tried] = []
    coming = list(reversed(variants))
    while coming:
        variant = coming.pop()
        if any(each.verdict.status == "ok" for each in tried) and not effort.thorough:
            late = "another one passed already"
        else:
            late = _too_late(variant, clock, fixed=3 * pace + _MEASURING * (len(tried) + 2))
        if late:
            tried.append(_Tried(Verdict(variant.name, variant.kind, "skipped", late), variant))
        else:
            tried.append(_try(subject, variant, original, drop=drop, clock=clock))
        listen(tried[-1].verdict)
        made = tried[-1].made
        following = None if made is None else made.following(tried[-1].verdict.status == "ok")
        coming += [] if following is None else [following]
    return tried


def _too_late(variant: Variant, clock: Clock, *, fixed: float) -> str:
    """Return why there is no time for a variant, "" where there is; what cannot be estimated is tried."""
    needed = fixed
    if clock.left() > fixed:
        with suppress(HeadwayError):
            needed += variant.estimate()
    return "" if clock.left() > needed else f"needs about {needed:.0f} s, {clock.left():.0f} s are left"


def _try(subject: Subject, variant: Variant, original: np.ndarray, *, drop: float, clock: Clock) -> _Tried:
    """Make one variant for the judge; whatever it raises becomes a failed verdict."""
    began = time.monotonic()
    try:
        made = variant.make(clock)
        check_steadiness(subject, made.graph)
        change = change_between(subject, original, _answers(subject, made.graph))
    except Exception as error:  # noqa: BLE001 - no variant's crash ends the search
        spent = time.monotonic() - began
        return _Tried(Verdict(variant.name, variant.kind, "failed", _told(error), seconds=spent), variant)
    reasons = complaints(change, drop=drop, measured={}, limits={})
    verdict = Verdict(
        variant.name,
        variant.kind,
        "refused" if reasons else "ok",
        "; ".join(reasons),
        change=change,
        seconds=time.monotonic() - began,
    )
    return _Tried(verdict, variant, made)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, HeadwayError) else f"{type(error).__name__}: {error}"


def check_steadiness(subject: Subject, graph: Graph) -> None:
    """Raise `ParityError` unless rows are answered alone as they are among others, within 1e-4."""
    rows = subject.exam.rows.head(_ALONE)
    opened = open_graph(graph, threads=1)
    alone = [opened.run(columns_of(rows[place : place + 1])) for place in range(rows.height)]
    check_parity(graph, columns_of(rows), np.concatenate(alone))


def _measured(graphs: list[Graph], subject: Subject, clock: Clock, effort: Effort) -> list[Measured]:
    """Measure graphs side by side on the same rows; thoroughly: their memory too, where there is time."""
    columns = columns_of(subject.exam.rows.head(MEASURED_ROWS))
    found = race(graphs, columns)
    if not effort.thorough or clock.left() < _MEMORY * len(graphs):
        return found
    return [
        replace(figures, memory_mb=measure_memory(graph, subject.task.outputs, columns))
        for figures, graph in zip(found, graphs, strict=True)
    ]


def _held_to_gate(tried: _Tried, original: Measured | None, subject: Subject, drop: float) -> _Tried:
    """Return a variant that has been measured with its verdict by all figures."""
    verdict = tried.verdict
    if tried.made is None or verdict.measured is None or verdict.change is None or original is None:
        return tried
    figures = {name: value for name, value in verdict.measured.figures().items() if not math.isnan(value)}
    reasons = [*complaints(verdict.change, drop=drop, measured=figures, limits=subject.limits)]
    slower = max(
        _ratio(verdict.measured, original, "latency_p50_ms"), _ratio(original, verdict.measured, "rows_per_second")
    )
    if not reasons and slower > SLOWER:
        reasons = [f"it is slower than the original ({slower:.2f} times the time)"]
    elif not reasons and worth(verdict.measured, original) > WORTH:
        reasons = ["it is hardly smaller or faster than the original"]
    return replace(tried, verdict=replace(verdict, status="refused" if reasons else "ok", reason="; ".join(reasons)))


def worth(measured: Measured, original: Measured) -> float:
    """Return size times time as a share of the original's; time is that of one row alone and in bulk alike."""
    alone = _ratio(measured, original, "latency_p50_ms")
    bulk = _ratio(original, measured, "rows_per_second")
    return _ratio(measured, original, "size_mb") * math.sqrt(alone * bulk)


def _ratio(one: Measured, other: Measured, name: str) -> float:
    return float(getattr(one, name)) / max(float(getattr(other, name)), 1e-9)


def _choose(
    tried: list[_Tried], original: Measured | None, subject: Subject, *, drop: float, clock: Clock
) -> tuple[Chosen | None, list[_Tried]]:
    """Make the best variant of all rows; one that fails there is refused, and the next best has its turn."""
    assert original is not None
    ready = [place for place, each in enumerate(tried) if each.verdict.status == "ok" and each.verdict.measured]
    ready.sort(key=lambda place: worth(tried[place].verdict.measured or original, original))
    truth = _answers(subject, subject.shipped) if ready and subject.is_refitted else None
    for place in ready:
        each = tried[place]
        assert each.made is not None
        assert each.verdict.change is not None
        try:
            graph = each.made.ship(clock)
            reasons = [] if truth is None else _second_look(subject, each, truth, graph, drop)
        except Exception as error:  # noqa: BLE001 - the next best has its turn
            tried[place] = replace(each, verdict=replace(each.verdict, status="failed", reason=_told(error)))
            continue
        status = replace(each.verdict, status="refused" if reasons else "chosen", reason="; ".join(reasons))
        tried[place] = replace(each, verdict=status)
        if not reasons:
            return Chosen(each.variant.name, each.variant.kind, graph, each.verdict.change), tried
    return None, tried


def _second_look(subject: Subject, tried: _Tried, original: np.ndarray, graph: Graph, drop: float) -> list[str]:
    """Return what speaks against the model of all rows, which knows the rows that judge, as the original does.

    A student does not know its training rows by heart as the original may: it is held to what the student that was
    judged answers, who had not seen these rows.
    """
    if tried.variant.kind == "distilled" and tried.made is not None:
        original = _answers(subject, tried.made.graph)
    change = change_between(subject, original, _answers(subject, graph))
    return [f"of all rows: {reason}" for reason in complaints(change, drop=drop, measured={}, limits={})]
