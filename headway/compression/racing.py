"""Several models measured side by side, row for row and batch for batch in turn: a busy moment meets them all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice

import numpy as np

from headway.package.graph import Graph
from headway.package.measuring import Measured
from headway.package.opening import open_model
from headway.runtime.feeds import Cells
from headway.runtime.feeds.cells import listed
from headway.runtime.model import Model

# Single rows of each model, and the seconds that they and the batches of one model may take.
MOST_ROWS, FEWEST_ROWS = 300, 15
ROW_SECONDS, BATCH_SECONDS = 0.5, 0.2
PASSES, MOST_BATCH = 3, 20_000


def race(graphs: Sequence[Graph], columns: Mapping[str, Cells]) -> list[Measured]:
    """Return size, latency of single rows and rows a second of each graph; memory is NaN.

    `columns`: rows as production has them. The rate is that of the best of three passes.
    """
    models = [open_model(graph) for graph in graphs]
    lists = {name: listed(columns[name]) for name in models[0].columns}
    latencies = _latencies(models, lists)
    rates = _rates(models, lists)
    return [
        Measured(
            latency_p50_ms=round(1000 * float(np.quantile(seconds, 0.5)), 4),
            latency_p95_ms=round(1000 * float(np.quantile(seconds, 0.95)), 4),
            rows_per_second=round(rate, 1),
            size_mb=round((graph.size + sum(map(len, graph.files.values()))) / 2**20, 4),
            memory_mb=float("nan"),
        )
        for graph, seconds, rate in zip(graphs, latencies, rates, strict=True)
    ]


def _latencies(models: Sequence[Model], lists: Mapping[str, list[object]]) -> list[list[float]]:
    """Return the seconds of single rows, of each model in turn, after a warm-up."""
    rows = [dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)]
    for model in models:
        for row in rows[:3]:
            model.predict([row])
    times: list[list[float]] = [[] for _ in models]
    deadline = time.perf_counter() + ROW_SECONDS * len(models)
    for turn, row in enumerate(islice(cycle(rows), MOST_ROWS)):
        # Another one begins in each turn: the first pays for what happened between turns.
        for place in (*range(turn % len(models), len(models)), *range(turn % len(models))):
            began = time.perf_counter()
            models[place].predict([row])
            times[place].append(time.perf_counter() - began)
        if time.perf_counter() > deadline and len(times[0]) >= FEWEST_ROWS:
            break
    return times


def _rates(models: Sequence[Model], lists: Mapping[str, list[object]]) -> list[float]:
    """Return the rows a second of each model: batches of about `BATCH_SECONDS`, in turn, the best of some passes."""
    batches = [_batch(model, lists) for model in models]
    best = [0.0] * len(models)
    for _ in range(PASSES):
        for place, (model, batch) in enumerate(zip(models, batches, strict=True)):
            size = len(next(iter(batch.values())))
            began = time.perf_counter()
            model.predict_columns(batch)
            best[place] = max(best[place], size / (time.perf_counter() - began))
    return best


def _batch(model: Model, lists: Mapping[str, list[object]]) -> dict[str, list[object]]:
    """Return rows, repeated, that take the model about `BATCH_SECONDS`."""
    rows = len(next(iter(lists.values())))
    began = time.perf_counter()
    model.predict_columns(dict(lists))
    pace = (time.perf_counter() - began) / rows
    size = int(np.clip(BATCH_SECONDS / pace, min(rows, 64), MOST_BATCH))
    return {name: list(islice(cycle(cells), size)) for name, cells in lists.items()}
