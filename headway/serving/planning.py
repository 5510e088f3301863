"""How the work is spread over the cores: processes with some threads each, chosen by measurement."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from headway.runtime import Model

# Clients at once for which the plan is made, and by how much a further process must be better than none.
_CLIENTS = 32
_GAIN = 1.15
# Calls of a kind, and how long they may take together (seconds).
_TRIES, _PATIENCE = 5, 0.15
# Above these seconds of a call, models are measured side by side: they share the way to the memory. Below, Python's
# lock, which processes do not share, would be measured instead: with MiniLM (.05 to .13 s) two processes answer 1.2 to
# 1.5 times as many clients as one with two threads, and side by side in one process they seemed to gain nothing.
_SLOW = 0.2
# The share of the free memory that further processes may take.
_SHARE = 0.8

# Seconds of a call with some rows, where so many processes call at once.
Measure = Callable[[Model, list[dict[str, Any]], int], float]


@dataclass(frozen=True)
class Plan:
    """Processes, the threads of the model in each, and the requests a second that the measurement promises."""

    workers: int
    threads: int
    rate: float


def thread_choices(cores: int, *, workers: int, memory: float, free: float) -> tuple[int, ...]:
    """Return the threads a model that are worth comparing: all cores for one process, and as few as memory allows.

    `workers` is the number of processes where that is fixed. `memory` is what one process takes and `free` what is left
    beside the first one, in bytes.
    """
    most = max(1, cores // max(1, workers))
    fitting = 1 + int(_SHARE * free / max(1.0, memory))
    fewest = 1 if workers else -(-cores // min(cores, fitting))
    return tuple(sorted({most, fewest}, reverse=True))


def choose_plan(
    models: Mapping[int, Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    http_seconds: float,
    cores: int,
    workers: int = 0,
    most_rows: int = _CLIENTS,
    measure: Measure | None = None,
) -> tuple[Plan, list[Plan]]:
    """Return the best plan, and all that were looked at.

    `models` are the same package opened with different numbers of threads, `rows` are some to ask, `http_seconds` is
    what a request costs beside the model, `workers` the number of processes where that is fixed. With `p` processes
    each model gets batches of `32 / p` rows, `most_rows` at most, as its batches in service; its seconds for such a
    batch are measured. In one process HTTP and model share the interpreter but not, while the graph runs, the core; so
    a process is never faster than the slower of the two, and never slower than both in turn.
    """
    plans = []
    for threads, model in sorted(models.items(), reverse=True):
        processes = workers or max(1, cores // threads)
        batch = [dict(rows[i % len(rows)]) for i in range(max(1, min(most_rows, _CLIENTS // processes)))]
        model_seconds = (measure or best_seconds)(model, batch, processes) / len(batch)
        overlap = 0.5 if threads * processes < cores else 0.0
        per_row = max(http_seconds, model_seconds) + (1 - overlap) * min(http_seconds, model_seconds)
        plans.append(Plan(processes, threads, processes / per_row))
    best = plans[0]
    for plan in plans[1:]:
        if plan.rate > best.rate * (1.0 if plan.workers == best.workers else _GAIN):
            best = plan
    return best, plans


def best_seconds(model: Model, rows: list[dict[str, Any]], processes: int) -> float:
    """Return the seconds of the best of a few calls, after one to warm up; a slow model is called by all at once."""
    alone = _best(lambda: model.predict(rows))
    if processes == 1 or alone < _SLOW:
        return alone
    with ThreadPoolExecutor(processes) as pool:  # onnxruntime lets go of Python's lock while a graph runs
        return _best(lambda: [done.result() for done in [pool.submit(model.predict, rows) for _ in range(processes)]])


def _best(call: Callable[[], object]) -> float:
    call()
    best, deadline = float("inf"), time.perf_counter() + _PATIENCE
    for _ in range(_TRIES):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > deadline:
            break
    return best
