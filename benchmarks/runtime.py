"""How fast the runtime is beside a plain onnxruntime session on the same rows.

The texts are made here (English questions and Chinese sentences of mixed length), so that the figures need no data.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from benchmarks.shared import print_table, time_calls
from headway.package.graph import Graph
from headway.package.opening import open_model
from headway.package.writing import write_package
from headway.runtime.feeds import encode
from headway.runtime.manifest import CharacterFeed, InputColumn, Manifest

FEED = CharacterFeed("chars:text", ("text",))
LABELS, BUCKETS = 77, 65_536
WORDS = (
    "I",
    "am",
    "still",
    "waiting",
    "on",
    "my",
    "new",
    "card",
    "what",
    "is",
    "the",
    "exchange",
    "rate",
    "please",
    "help",
)


def main() -> str:
    """Print the figures as a table, and return it."""
    english, chinese = texts(20_000), chinese_texts(20_000)
    graph = ngram_graph()
    model = open_model(graph)
    session, arrays = model.predictor.session, encode(FEED, {"text": english[:1]}, files={})
    one = [{"text": english[0]}]
    plain = latencies(lambda: session.run(None, arrays))
    ours = latencies(lambda: model.predict(one))
    rows = [
        line("encode English texts", rate(lambda: encode(FEED, {"text": english}, files={}), 20_000), "rows/s"),
        line("encode Chinese texts", rate(lambda: encode(FEED, {"text": chinese}, files={}), 20_000), "rows/s"),
        line("predict English in bulk", rate(lambda: model.predict_columns({"text": english}), 20_000), "rows/s"),
        line("predict Chinese in bulk", rate(lambda: model.predict_columns({"text": chinese}), 20_000), "rows/s"),
        line("one row, p50", 1000 * float(np.quantile(ours, 0.5)), "ms"),
        line("one row, p95", 1000 * float(np.quantile(ours, 0.95)), "ms"),
        line("one row encoded before, plain session, p50", 1000 * float(np.quantile(plain, 0.5)), "ms"),
        line("start Python, import, load, one answer", cold_start(graph), "s"),
    ]
    return print_table("The runtime, on texts made here", ("work", "measured"), rows)


def line(work: str, figure: float, unit: str) -> tuple[str, str]:
    """Return one line of the table."""
    return work, f"{figure:,.{3 if figure < 100 else 0}f} {unit}"


def texts(number: int) -> list[str]:
    """Return English questions of 3 to 30 words."""
    random = np.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(3, 30))) + "?" for _ in range(number)]


def chinese_texts(number: int) -> list[str]:
    """Return Chinese sentences of 8 to 80 characters, with full-width punctuation."""
    random = np.random.default_rng(1)
    letters = np.array(list("房间很干净服务员态度好下次还会来住早餐一般但是位置方便，。！"))
    return ["".join(random.choice(letters, random.integers(8, 80))) for _ in range(number)]


def ngram_graph() -> Graph:
    """Return a model of the shape of `ngram_linear`: hashed character 2- and 3-grams, a weight row for each, summed."""
    table = np.random.default_rng(0).normal(size=(BUCKETS, LABELS)).astype(np.float32) / 10
    codes = spox.argument(spox.Tensor(np.int32, ("rows", "length")))
    padded = op.pad(op.cast(codes, to=np.int64), op.const(np.array([0, 0, 0, 2])))
    first, second, third = (
        op.slice(padded, op.const([start]), op.const([stop]), op.const([1]))
        for start, stop in ((0, -2), (1, -1), (2, 2**31))
    )
    pairs = op.add(op.mul(first, op.const(7919)), op.mul(second, op.const(104729)))
    triples = op.add(pairs, op.mul(third, op.const(1299709)))
    ids = op.mod(op.concat([pairs, triples], axis=1), op.const(BUCKETS))
    logits = op.reduce_sum(op.gather(op.const(table), ids), op.const([1]), keepdims=0)
    model = spox.build({FEED.name: codes}, {"probabilities": op.softmax(logits)})
    return Graph(model.SerializeToString(), (FEED,))


def rate(work: Callable[[], object], rows: int) -> float:
    """Return rows a second, the median of 7 passes after one to warm up."""
    return rows / time_calls(work, calls=7)


def latencies(work: Callable[[], object]) -> np.ndarray:
    """Return the seconds of 500 calls after 50 to warm up."""
    for _ in range(50):
        work()
    return np.array([seconds(work) for _ in range(500)])


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cold_start(graph: Graph) -> float:
    """Return the wall time of a fresh Python that opens a package and answers once, the median of 5."""
    rows = {"text": ["hello"]}
    manifest = Manifest("bench", "classify", "y", (InputColumn("text", "text"),), (), tuple(range(LABELS)))
    with tempfile.TemporaryDirectory() as scratch:
        expected = open_model(graph).predictor.run(rows)
        package = write_package(Path(scratch) / "p", graph, manifest, card="", columns=rows, expected=expected)
        code = f"import headway.runtime as r; r.load({str(package)!r}).predict([{{'text': 'hello'}}])"
        return time_calls(lambda: subprocess.run([sys.executable, "-c", code], check=True), calls=5)
