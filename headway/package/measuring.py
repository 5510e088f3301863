"""What a model costs to serve, measured on this machine, through the runtime that ships."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

import headway
from headway.errors import PackageError
from headway.package.graph import Graph
from headway.package.opening import open_model, plain_manifest
from headway.package.writing import digests, write_files
from headway.runtime.archive import MANIFEST, MODEL, read_package
from headway.runtime.feeds import Cells
from headway.runtime.feeds.cells import listed
from headway.runtime.image_generation import assemble_image_generator
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import to_json
from headway.runtime.model import Model, assemble

# How long each part may take; slow models are measured on fewer rows.
_LATENCY_SECONDS, _LATENCY_ROWS = 0.5, 300
_BULK_SECONDS, _BULK_ROWS = 0.6, 20_000
_MEMORY_ROWS, _MEMORY_TIMEOUT = 64, 60.0


@dataclass(frozen=True)
class Measured:
    """What one model costs: milliseconds for one row alone, rows a second in bulk, megabytes (2^20 bytes).

    `size_mb`: the files of the package, unpacked. `memory_mb`: the peak of a fresh process that opens the package and
    answers 64 rows, Python and onnxruntime included; NaN where it was not measured.
    """

    latency_p50_ms: float
    latency_p95_ms: float
    rows_per_second: float
    size_mb: float
    memory_mb: float

    def figures(self) -> dict[str, float]:
        """Return the figures by name, for a manifest."""
        return asdict(self)


def measure(
    model: Graph | Path,
    columns: Mapping[str, Cells],
    *,
    memory: bool = True,
    bulk: bool = True,
    threads: int | None = None,
) -> Measured:
    """Measure a graph in memory or a package on disk, answering the rows in `columns` as production will.

    Takes about two seconds. Latencies are over single rows, drawn in turn; `rows_per_second` is the best of a few
    passes over up to 20,000 rows (`columns` repeated), since a disturbed pass says nothing about the model. Without
    `memory` no process is started; without `bulk` there is no rate (NaN) and latencies take half the time. Raises
    `InputError` for rows that do not fit, and `PackageError` for a model that does not work.
    """
    opened, files = _open(model, threads)
    lists = {name: listed(columns[name]) for name in opened.predictor.columns if name in columns}
    rows = _rows(lists)
    latencies = _latencies(opened, rows, seconds=_LATENCY_SECONDS if bulk else _LATENCY_SECONDS / 2)
    return Measured(
        latency_p50_ms=round(float(np.quantile(latencies, 0.5)) * 1000, 4),
        latency_p95_ms=round(float(np.quantile(latencies, 0.95)) * 1000, 4),
        rows_per_second=round(_bulk_rate(opened, lists, len(rows)), 1) if bulk else float("nan"),
        size_mb=round(sum(map(len, files.values())) / 2**20, 4),
        memory_mb=_memory(opened.manifest, files, rows) if memory else float("nan"),
    )


def measure_memory(graph: Graph, labels: int, columns: Mapping[str, Cells]) -> float:
    """Return `Measured.memory_mb` alone, of a graph with so many labels (0 for values).

    Another process does it all; a thread that calls this leaves its own process the time for something else.
    """
    wanted = {name for feed in graph.feeds for name in feed.columns} & set(columns)
    rows = _rows({name: listed(columns[name][:_MEMORY_ROWS]) for name in columns if name in wanted})
    return _memory(plain_manifest(graph, labels), _files(graph), rows)


def _rows(lists: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Return cells by column as rows; raises `PackageError` where there are none."""
    rows = [dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)][:_BULK_ROWS]
    if not rows:
        raise PackageError("a model cannot be measured without rows", expected="one row or more", got="none")
    return rows


def _open(model: Graph | Path, threads: int | None) -> tuple[Model, dict[str, bytes]]:
    """Return the opened model and its files."""
    if isinstance(model, Graph):
        return open_model(model, threads=threads), _files(model)
    manifest, files = read_package(model)
    return assemble(manifest, files, threads=threads), files


def _files(graph: Graph) -> dict[str, bytes]:
    """Return the files that a package of this graph holds."""
    return {MODEL: graph.onnx, **graph.files}


def _latencies(model: Model, rows: list[dict[str, Any]], *, seconds: float) -> np.ndarray:
    """Return the seconds that single rows take, after a warm-up."""
    for row in rows[:3]:
        model.predict([row])
    times: list[float] = []
    deadline = time.perf_counter() + seconds
    for row in islice(cycle(rows), _LATENCY_ROWS):
        start = time.perf_counter()
        model.predict([row])
        times.append(time.perf_counter() - start)
        if start > deadline and len(times) >= 5:
            break
    return np.array(times)


def _bulk_rate(model: Model, lists: Mapping[str, list[Any]], rows: int) -> float:
    """Return the rows a second of large batches: as many rows as fit in the time, the best of three passes."""
    probe = min(64, rows)
    start = time.perf_counter()
    model.predict_columns({name: cells[:probe] for name, cells in lists.items()})
    guess = probe / (time.perf_counter() - start)
    size = int(np.clip(guess * _BULK_SECONDS / 3, probe, _BULK_ROWS))
    batch = {name: list(islice(cycle(cells[:rows]), size)) for name, cells in lists.items()}
    best, deadline = 0.0, time.perf_counter() + _BULK_SECONDS
    for _ in range(3):
        start = time.perf_counter()
        model.predict_columns(batch)
        best = max(best, size / (time.perf_counter() - start))
        if time.perf_counter() > deadline:
            break
    return best


def measure_writing_memory(manifest: Manifest, files: Mapping[str, bytes], texts: Sequence[str]) -> float:
    """Return `Measured.memory_mb` of a package that writes, which continues `texts` at once."""
    return _footprint(manifest, files, lambda _: list(texts))


def measure_drawing(onnx: bytes, manifest: Manifest) -> Measured:
    """Measure a graph that draws pictures: milliseconds for one, and pictures a second of many."""
    files = {MODEL: onnx}
    generator = assemble_image_generator(manifest, files)
    taken: list[float] = []
    deadline = time.perf_counter() + _LATENCY_SECONDS
    while len(taken) < 5 or (len(taken) < _LATENCY_ROWS and time.perf_counter() < deadline):
        began = time.perf_counter()
        generator.generate(1, seed=len(taken))
        taken.append(time.perf_counter() - began)
    count = int(np.clip(_BULK_SECONDS / np.median(taken), 8, 512))
    began = time.perf_counter()
    generator.generate(count, seed=0)
    return Measured(
        latency_p50_ms=round(float(np.quantile(taken, 0.5)) * 1000, 4),
        latency_p95_ms=round(float(np.quantile(taken, 0.95)) * 1000, 4),
        rows_per_second=round(count / (time.perf_counter() - began), 1),
        size_mb=round(len(onnx) / 2**20, 4),
        memory_mb=_footprint(manifest, files, lambda _: [_MEMORY_ROWS]),
    )


def _memory(manifest: Manifest, files: Mapping[str, bytes], rows: list[dict[str, Any]]) -> float:
    """Return the peak megabytes of a fresh process that answers rows."""

    def plain(scratch: Path) -> list[Any]:
        return [{name: _plain(cell, scratch) for name, cell in row.items()} for row in rows[:_MEMORY_ROWS]]

    return _footprint(manifest, files, plain)


def _footprint(manifest: Manifest, files: Mapping[str, bytes], asked: Callable[[Path], list[Any]]) -> float:
    """Return the peak megabytes of a fresh process that serves the model what is `asked`, given a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="headway-") as scratch:
        package = Path(scratch) / "package"
        written = to_json(replace(manifest, files=digests(files)))
        write_files(package, {**files, MANIFEST: written.encode()})
        command = [sys.executable, "-m", "headway.runtime.footprint", str(package)]
        source = str(Path(headway.__file__).parents[1])
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(  # noqa: S603 - our own module, in this very Python
            command,
            input=json.dumps(asked(Path(scratch))),
            capture_output=True,
            text=True,
            timeout=_MEMORY_TIMEOUT,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
    if done.returncode != 0:
        raise PackageError("the package does not open in a fresh process", got=done.stderr.strip()[-300:])
    return float(done.stdout)


def _plain(cell: Any, scratch: Path) -> Any:
    """Return a cell as JSON can hold it; images become files."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str | int | float | bool) or cell is None:
        return cell if cell == cell else None  # noqa: PLR0124
    if isinstance(cell, bytes):
        return _stored(cell, scratch)
    if isinstance(cell, np.ndarray) or hasattr(cell, "save"):
        from PIL import Image

        buffer = io.BytesIO()
        (Image.fromarray(cell) if isinstance(cell, np.ndarray) else cell).save(buffer, "PNG")
        return _stored(buffer.getvalue(), scratch)
    return str(cell)


def _stored(content: bytes, scratch: Path) -> str:
    """Write an image into the scratch folder; return its path."""
    handle, name = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return name
