"""What learning from production has to say in `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

from headway.evaluation.drift import Drift
from headway.serving.drift.watching import Progress, Window
from headway.serving.experiments.plan import Experiment
from headway.serving.learning.lane import Tally
from headway.serving.learning.ledger import Figure

_HELP = {
    "headway_learn_taken": "Events that a lane has used (the lane `store`: written).",
    "headway_learn_lost": "Events that a lane has lost: overflow (queue full), failed, refused (by the database).",
    "headway_learn_waiting": "Events that wait in a lane.",
    "headway_learn_down": "1 while a lane cannot go on (the database is away, the disk is full).",
    "headway_alarms": "Alarms that were raised.",
    "headway_alarms_undelivered": "Alarms that the webhook or the store did not take.",
    "headway_drift_distance": "Share of rows in other cells than in training, last full window.",
    "headway_drift_p_value": "Corrected p-value of the change, last full window.",
    "headway_drift_moved": "1 for a change that is certain and large enough for an alarm, last full window.",
    "headway_drift_watched": "1 for a model that is watched for drift, 0 where its package has no reference.",
    "headway_drift_lacks": "Rows, or answers with feedback, that the next window lacks in the process nearest to it.",
    "headway_drift_needs": "Rows, or answers with feedback, in a window.",
    "headway_drift_alarm": "1 where the last full window alarmed.",
    "headway_experiment_arm_ended": "1 for an arm that a guardrail has stopped.",
}


def list_figures(
    tallies: Mapping[str, Tally],
    *,
    refused: int,
    alarms: Mapping[str, int],
    undelivered: int,
    drifts: Mapping[str, Mapping[Window, Drift]],
    experiments: Sequence[Experiment],
    progress: Mapping[str, Mapping[Window, Progress]] = MappingProxyType({}),
) -> list[Figure]:
    """Return everything as figures."""
    figures = [
        *_lanes(tallies, refused),
        *(Figure("headway_alarms", count, "counter", (("kind", kind),)) for kind, count in alarms.items()),
        Figure("headway_alarms_undelivered", undelivered, "counter"),
        *_drifts(drifts),
        *_watched(progress),
    ]
    for experiment in experiments:
        for arm in experiment.arms:
            labels = (("experiment", experiment.name), ("arm", arm.name))
            figures.append(Figure("headway_experiment_arm_ended", arm.name in experiment.ended_arms, "gauge", labels))
    return figures


def _lanes(tallies: Mapping[str, Tally], refused: int) -> Iterator[Figure]:
    for lane, tally in tallies.items():
        name = (("lane", lane),)
        lost = {"overflow": tally.overflowed, "failed": tally.failed} | (
            {"refused": refused} if lane == "store" else {}
        )
        yield Figure("headway_learn_taken", tally.taken, "counter", name)
        for reason, count in lost.items():
            yield Figure("headway_learn_lost", count, "counter", (*name, ("reason", reason)))
        yield Figure("headway_learn_waiting", tally.waiting, "gauge", name)
        yield Figure("headway_learn_down", tally.down, "gauge", name)


def _drifts(drifts: Mapping[str, Mapping[Window, Drift]]) -> Iterator[Figure]:
    for model, windows in drifts.items():
        for window, drift in windows.items():
            labels = (("model", model), ("window", window.kind), ("target", window.target))
            yield Figure("headway_drift_alarm", bool(drift.alarms), "gauge", labels)
            for shift in drift.shifts:
                where = (("model", model), ("column", shift.column), ("target", shift.target), ("aspect", shift.aspect))
                yield Figure("headway_drift_distance", shift.distance, "gauge", where)
                yield Figure("headway_drift_p_value", shift.p_value, "least", where)
                yield Figure("headway_drift_moved", shift in drift.alarms, "gauge", where)


def _watched(progress: Mapping[str, Mapping[Window, Progress]]) -> Iterator[Figure]:
    for model, windows in progress.items():
        yield Figure("headway_drift_watched", bool(windows), "least", (("model", model),))
        for window, each in windows.items():
            labels = (("model", model), ("window", window.kind), ("target", window.target))
            yield Figure("headway_drift_lacks", each.lacks, "least", labels)
            yield Figure("headway_drift_needs", each.needs, "gauge", labels)


@dataclass(frozen=True)
class Collector:
    """A collector for prometheus-client that asks for the figures when it is scraped."""

    read: Callable[[], list[Figure]]

    def collect(self) -> Iterator[Any]:
        """Yield the metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, group in groupby(self.read(), key=lambda figure: figure.name):
            figures = list(group)
            kind = CounterMetricFamily if figures[0].kind == "counter" else GaugeMetricFamily
            family = kind(name, _HELP.get(name, name), labels=[label for label, _ in figures[0].labels])
            for figure in figures:
                family.add_metric([value for _, value in figure.labels], figure.value)
            yield family
