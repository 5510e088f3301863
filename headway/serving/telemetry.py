"""What the service counts about itself: totals since the start and the last minutes, over all workers."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headway.serving.shared_memory import Board, open_board

if TYPE_CHECKING:
    from prometheus_client.core import Metric

# Upper ends of the buckets of request seconds; the last bucket has none.
BOUNDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5,
          1.0, 2.0, 5.0)  # fmt: skip
STATUSES = (200, 202, 400, 401, 403, 404, 405, 408, 411, 413, 415, 422, 429, 431, 499, 500, 503, 504, 0)
GAUGES = ("pid", "connections", "in_flight", "waiting_rows")
COUNTERS = ("rows", "wrong_rows", "batches", "batch_rows", "model_us", "abandoned", "log_lines_lost", "observer_errors",
            "feedback", "deployments", "micros")  # fmt: skip
SLOT_SECONDS, SLOTS = 4, 150
# Deployments whose rows are counted apart: the last so many.
MODELS = 32

_BUCKETS = len(BOUNDS) + 1
_OF_STATUS = {status: position for position, status in enumerate(STATUSES)}
_OF_GAUGE = {name: len(STATUSES) + position for position, name in enumerate(GAUGES)}
_OF_COUNTER = {name: len(STATUSES) + len(GAUGES) + position for position, name in enumerate(COUNTERS)}
_SECONDS = len(STATUSES) + len(GAUGES) + len(COUNTERS)
_MODEL_ROWS = _SECONDS + _BUCKETS
_RING = _MODEL_ROWS + 2 * MODELS  # of each deployment its number and its rows
# In a slot of the ring: its number, requests, errors, rows, then the buckets of seconds.
_SLOT = 4 + _BUCKETS
SIZE = _RING + SLOTS * _SLOT


@dataclass(frozen=True)
class Moment:
    """What happened in one slot of `SLOT_SECONDS`: `ago` seconds before now, counts, and two quantiles of seconds."""

    ago: int
    requests: int
    errors: int
    rows: int
    p50: float | None
    p95: float | None


class Telemetry:
    """Counts of this worker, and the sums of all."""

    def __init__(self, board: Board) -> None:
        """Count in `board`, whose parts are `SIZE` long."""
        self.board = board
        self._own = board.own

    @classmethod
    def alone(cls) -> Telemetry:
        """Return the telemetry of a process without fellow workers."""
        return cls(open_board(None, workers=1, size=SIZE, index=0))

    @classmethod
    def open(cls, path: Path, *, workers: int, index: int) -> Telemetry:
        """Return the telemetry of one of several workers."""
        return cls(open_board(path, workers=workers, size=SIZE, index=index))

    def answered(self, status: int, seconds: float, rows: int, model: int | None) -> None:
        """Count one request; `model` is the number of the deployment that answered it."""
        own = self._own
        bucket = bisect.bisect_left(BOUNDS, seconds)
        own[_OF_STATUS.get(status, len(STATUSES) - 1)] += 1
        own[_SECONDS + bucket] += 1
        own[_OF_COUNTER["micros"]] += int(seconds * 1e6)
        slot = self._slot()
        own[slot + 1] += 1
        own[slot + 4 + bucket] += 1
        if status >= 400:
            own[slot + 2] += 1
            return
        own[_OF_COUNTER["rows"]] += rows
        own[slot + 3] += rows
        if model is not None:
            own[self._place(model) + 1] += rows

    def batch(self, rows: int, seconds: float) -> None:
        """Count one call of a model."""
        self.add("batches")
        self.add("batch_rows", rows)
        self.add("model_us", int(seconds * 1e6))

    def add(self, counter: str, number: int = 1) -> None:
        """Add to one of `COUNTERS`."""
        self._own[_OF_COUNTER[counter]] += number

    def set(self, name: str, number: int) -> None:
        """Set one of `COUNTERS` or `GAUGES` of this worker."""
        self._own[(_OF_GAUGE if name in _OF_GAUGE else _OF_COUNTER)[name]] = number

    def read(self, name: str) -> int:
        """Return the sum of a counter or gauge over all workers."""
        return self.board.total((_OF_GAUGE if name in _OF_GAUGE else _OF_COUNTER)[name])

    def of_each_worker(self, gauge: str) -> list[int]:
        """Return a gauge of each worker that has started."""
        return [part[_OF_GAUGE[gauge]] for part in self.board.parts() if part[_OF_GAUGE["pid"]]]

    def of_worker(self, gauge: str, index: int) -> int:
        """Return a gauge of one worker."""
        return int(self.board.part(index)[_OF_GAUGE[gauge]])

    def by_status(self) -> dict[int, int]:
        """Return how many requests got each status."""
        return {status: self.board.total(position) for status, position in _OF_STATUS.items()}

    def rows_of(self, model: int) -> int:
        """Return how many rows a deployment answered, by its number."""
        place = _MODEL_ROWS + 2 * (model % MODELS)
        return sum(part[place + 1] for part in self.board.parts() if part[place] == model)

    def seconds(self) -> tuple[list[int], float]:
        """Return the requests in each bucket of seconds, and the sum of all seconds."""
        return [self.board.total(_SECONDS + bucket) for bucket in range(_BUCKETS)], self.read("micros") / 1e6

    def moments(self) -> list[Moment]:
        """Return the last ten minutes, oldest first, slot by slot."""
        now = int(time.monotonic() // SLOT_SECONDS)
        return [self._moment(number, now) for number in range(now - SLOTS + 1, now + 1)]

    def _place(self, model: int) -> int:
        """Return where a deployment is counted; one so long ago that its place is needed is forgotten."""
        place = _MODEL_ROWS + 2 * (model % MODELS)
        if self._own[place] != model:
            self._own[place], self._own[place + 1] = model, 0
        return place

    def _slot(self) -> int:
        """Return where the slot of this moment begins; one of an earlier round is cleared."""
        number = int(time.monotonic() // SLOT_SECONDS)
        start = _RING + (number % SLOTS) * _SLOT
        if self._own[start] != number:
            for position in range(start + 1, start + _SLOT):
                self._own[position] = 0
            self._own[start] = number
        return start

    def _moment(self, number: int, now: int) -> Moment:
        start = _RING + (number % SLOTS) * _SLOT
        parts = [part[start : start + _SLOT].tolist() for part in self.board.parts()]
        sums = [sum(column) for column in zip(*(part for part in parts if part[0] == number), strict=True)]
        if not sums:
            return Moment((now - number) * SLOT_SECONDS, 0, 0, 0, None, None)
        buckets = sums[4:]
        return Moment((now - number) * SLOT_SECONDS, sums[1], sums[2], sums[3],
                      quantile(buckets, 0.5), quantile(buckets, 0.95))  # fmt: skip


def quantile(buckets: Sequence[int], share: float) -> float | None:
    """Return about the seconds below which `share` of the requests lie, None where there are none."""
    total, seen = sum(buckets), 0
    if not total:
        return None
    for bucket, count in enumerate(buckets):
        if count and seen + count >= share * total:
            low = BOUNDS[bucket - 1] if bucket else 0.0
            high = BOUNDS[bucket] if bucket < len(BOUNDS) else 2 * BOUNDS[-1]
            return low + (high - low) * (share * total - seen) / count
        seen += count
    return None


def expose(telemetry: Telemetry, models: Mapping[int, tuple[str, str]], extra: Sequence[object] = ()) -> bytes:
    """Return all figures in the text format of Prometheus; `models` names the deployments by number."""
    from prometheus_client import CollectorRegistry, generate_latest

    class Figures:
        """The figures as prometheus-client collects them."""

        def collect(self) -> Iterator[Metric]:
            """Yield every metric family."""
            yield from _families(telemetry, models)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    for collector in extra:
        registry.register(collector)  # type: ignore[arg-type]
    text: bytes = generate_latest(registry)
    return text


def _families(telemetry: Telemetry, models: Mapping[int, tuple[str, str]]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    requests = CounterMetricFamily("headway_requests", "Requests by the status of their answer.", labels=["status"])
    for status, count in telemetry.by_status().items():
        if count:
            requests.add_metric([str(status or "other")], count)
    yield requests
    rows = CounterMetricFamily("headway_rows", "Rows answered by each deployment.", labels=["model", "version"])
    for number, (name, version) in sorted(models.items())[-MODELS:]:
        rows.add_metric([name, version], telemetry.rows_of(number))
    yield rows
    counts, total = telemetry.seconds()
    running, buckets = 0, []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        running += count
        buckets.append((bound, running))
    yield HistogramMetricFamily("headway_request_seconds", "Seconds from request to answer.", buckets, total)
    words = {
        "wrong_rows": "Rows that could not be read.",
        "batches": "Calls of a model.",
        "batch_rows": "Rows in all calls of a model.",
        "abandoned": "Requests whose client went away before it was answered.",
        "log_lines_lost": "Log lines that could not be written.",
        "observer_errors": "Errors of what listens to predictions.",
        "feedback": "Corrections received.",
        "deployments": "Packages swapped in.",
    }
    for counter, documentation in words.items():
        yield CounterMetricFamily(f"headway_{counter}", documentation, telemetry.read(counter))
    yield CounterMetricFamily("headway_model_seconds", "Seconds spent in models.", telemetry.read("model_us") / 1e6)
    for gauge, documentation in {
        "connections": "Open connections.",
        "in_flight": "Requests being answered.",
        "waiting_rows": "Rows that wait for a model.",
    }.items():
        yield GaugeMetricFamily(f"headway_{gauge}", documentation, telemetry.read(gauge))
    yield GaugeMetricFamily("headway_workers", "Workers that have started.", len(telemetry.of_each_worker("pid")))
