"""Smaller packages (table C, rows 1 and 2): MiniLM with a head on banking77, beside onnxruntime's own quantiser.

HEADWAY_BENCH_BASES names the folder that holds the base `minilm` in the layout of Transformers; HEADWAY_BENCH_ROWS (a
number) takes part of the rows, for a quick look.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.fine_tuning import find_base
from benchmarks.shared import find_data, print_table
from headway.bases.opening import open_base
from headway.compression.planning import plan_variants
from headway.compression.racing import race
from headway.compression.search import THOROUGH, search
from headway.compression.subject import Subject
from headway.compression.verdict import Search
from headway.compute.clock import Clock
from headway.data.dataset import Column, Fold
from headway.evaluation.comparison import compare
from headway.models.encoder_frozen.fitting import fit
from headway.models.family import Examples, Support
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

VALID = 1_200
ROUNDS = 3
MEASURED = 256
DROP, STUDENT_DROP = 0.005, 0.045
SECONDS = 600.0
HEADER = ("who", "MB", "rows/s", "times", "p50 ms", "p95 ms", "test accuracy", "loss, points (95%)")


@dataclass(frozen=True)
class Line:
    """One model: what it is called, and its graph."""

    who: str
    graph: Graph


def main() -> str:
    """Compare fp32, onnxruntime's dynamic int8, what passes the gate, and a student; return the tables."""
    with tempfile.TemporaryDirectory() as name:
        subject, test = teach(Path(name))
        return quantised(subject, test, Path(name)) + distilled(subject, test)


def quantised(subject: Subject, test: Examples, folder: Path) -> str:
    """Quantise beside onnxruntime."""
    found = shrink(subject, "quantise", DROP)
    lines = [
        Line("onnxruntime, fp32", subject.shipped),
        Line("quantize_dynamic", quantised_by_peer(subject.shipped, folder, reduce_range=False)),
        Line("quantize_dynamic, 7 bits", quantised_by_peer(subject.shipped, folder, reduce_range=True)),
        *ships("Headway", found),
    ]
    text = print_table(f"Quantised, drop {DROP:.1%}", HEADER, compared(lines, test, subject.task))
    return text + tabulated("What was tried: quantised", found)


def distilled(subject: Subject, test: Examples) -> str:
    """Let students learn."""
    found = shrink(subject, "distil", STUDENT_DROP)
    lines = [Line("teacher, fp32", subject.shipped), *ships("Headway", found)]
    text = print_table(f"Distilled, drop {STUDENT_DROP:.1%}", HEADER, compared(lines, test, subject.task))
    return text + tabulated("What was tried: distilled", found)


def teach(folder: Path) -> tuple[Subject, Examples]:
    """Return MiniLM in float32 with a head, fitted on the fold's rows and on all; and the test rows."""
    base, data = open_base(str(find_base("minilm"))), find_data("en_banking77")
    train, test = pl.read_csv(data / "train.csv"), pl.read_csv(data / "test.csv")
    rows = int(os.environ.get("HEADWAY_BENCH_ROWS", "0")) or train.height
    train = train.sample(min(rows, train.height), seed=0, shuffle=True)
    test = test.sample(min(rows, test.height), seed=0, shuffle=True)
    labels = sorted(set(train["category"]) | set(test["category"]))
    task, support = Classify(tuple(labels)), Support(base=base, store=folder)
    known, unknown = (
        Examples(
            part.select("text"),
            (Column("text", "text"),),
            np.array([labels.index(label) for label in part["category"]]),
            support=support,
        )
        for part in (train, test)
    )
    places = np.arange(len(known))
    fold = Fold(places[min(VALID, rows // 4) :], places[: min(VALID, rows // 4)])
    judged, shipped = (graph_of(known.take(part), task) for part in (fold.train, places))
    return Subject(judged, shipped, known, places, fold, task, "accuracy"), unknown


def graph_of(examples: Examples, task: Classify) -> Graph:
    """Fit the head on vectors of float32; they are kept, so that the second fit computes few."""
    settings = {"precision": "float32"}
    return fit(examples, None, task, Recipe(), settings=settings, seed=0, clock=Clock()).graph()


def shrink(subject: Subject, method: str, drop: float) -> Search:
    """Search with one method, saying each verdict."""
    variants = plan_variants(subject, methods=(method,), winner="encoder_frozen")  # type: ignore[arg-type]
    return search(
        subject,
        variants,
        drop=drop,
        clock=Clock.after(SECONDS),
        effort=THOROUGH,
        listen=lambda verdict: print(f"{verdict.name}: {verdict.status} {verdict.reason}", flush=True),
    )


def ships(who: str, found: Search) -> list[Line]:
    """Return what was chosen, if anything was."""
    return [] if found.chosen is None else [Line(f"{who}, {found.chosen.name}", found.chosen.graph)]


def quantised_by_peer(graph: Graph, folder: Path, *, reduce_range: bool) -> Graph:
    """Return the graph by onnxruntime's own dynamic quantisation, its products with a bias made plain ones first."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.onnx_model import ONNXModel

    model = ONNXModel(onnx.load_model_from_string(graph.onnx))
    model.replace_gemm_with_matmul()
    source, target = folder / "source.onnx", folder / "target.onnx"
    onnx.save(model.model, source)
    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8,
        reduce_range=reduce_range,
        op_types_to_quantize=["MatMul", "Gather"],
        # Shapes are not inferred through fused attention.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    return replace(graph, model=target.read_bytes())


def compared(lines: list[Line], test: Examples, task: Classify) -> list[tuple[object, ...]]:
    """Measure all side by side, some rounds; medians, beside the first one."""
    columns = {"text": test.rows["text"].to_list()}
    few = {"text": columns["text"][:MEASURED]}
    answers = [open_graph(line.graph).run(columns) for line in lines]
    rounds = [race([line.graph for line in lines], few) for _ in range(ROUNDS)]
    rows, first = [], 0.0
    for place, line in enumerate(lines):
        measured = [each[place] for each in rounds]
        rate = statistics.median(each.rows_per_second for each in measured)
        first = first or rate
        found = compare(answers[0], answers[place], test.y, task)
        low, high = -100 * found.interval[1], -100 * found.interval[0]
        rows.append(
            (
                line.who,
                f"{measured[0].size_mb:.1f}",
                f"{rate:,.0f}",
                f"{rate / first:.1f}",
                f"{statistics.median(each.latency_p50_ms for each in measured):.2f}",
                f"{statistics.median(each.latency_p95_ms for each in measured):.2f}",
                f"{found.values[1]:.4f}",
                f"{-100 * found.difference:.2f} ({low:.2f} to {high:.2f})" if place else "",
            )
        )
    return rows


def tabulated(title: str, found: Search) -> str:
    """Return every verdict: on the rows that judge, not the test part."""
    rows = []
    for verdict in found.verdicts[1:]:
        change, figures = verdict.change, verdict.measured
        rows.append(
            (
                verdict.name,
                verdict.status,
                "" if figures is None else f"{figures.size_mb:.1f}",
                "" if figures is None else f"{figures.rows_per_second:,.0f}",
                "" if change is None else f"{100 * change.loss:.2f} (to {100 * change.interval[1]:.2f})",
                verdict.reason,
            )
        )
    return print_table(title, ("variant", "status", "MB", "rows/s", "loss, points", "why"), rows)
