"""Small real packages for the tests of the service."""

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from headway.package.combining import side_by_side
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.package.writing import write_package
from headway.runtime.archive import MODEL
from headway.runtime.manifest import CategoryFeed, DateFeed, ImageFeed, InputColumn, Manifest, NumberFeed, Target
from headway.runtime.model import assemble
from tests.runtime.graphs import built, number_graph, text_graph, value_graph

NUMBERS = Manifest(
    name="numbers",
    task="classify",
    target="标签",
    inputs=(InputColumn("a", "number", example=1.5), InputColumn("b", "number", example=-1.0)),
    feeds=(),
    labels=("差评", "好评"),
    metrics={"accuracy": 0.9},
    intervals={"accuracy": (0.85, 0.95)},
)
TEXTS = Manifest(
    name="texts",
    task="classify",
    target="topic",
    inputs=(InputColumn("review", "text", example="房间很大，服务也好。"),),
    feeds=(),
    labels=("bad", "fair", "good"),
)
VALUES = Manifest(name="values", task="regress", target="price", inputs=(InputColumn("a", "number"),), feeds=())
PICTURES = Manifest(name="pictures", task="regress", target="light", inputs=(InputColumn("photo", "image"),), feeds=())
MIXED = Manifest(
    name="mixed",
    task="classify",
    target="y",
    inputs=(
        InputColumn("n", "number", example=2.0),
        InputColumn("when", "date", example="2026-01-31"),
        InputColumn("city", "category", example="北京", categories=("北京", "Paris")),
    ),
    feeds=(),
    labels=(True, False),
)
SEVERAL = Manifest(
    name="several",
    task="several",
    target="side, far",
    inputs=(InputColumn("a", "number", example=1.5), InputColumn("b", "number", example=-1.0)),
    feeds=(),
    targets=(Target("side", "classify", (False, True), "accuracy"), Target("far", "regress", (), "r2")),
    metrics={"mean_score": 0.8, "accuracy:side": 0.9, "r2:far": 0.7},
    intervals={"mean_score": (0.75, 0.85)},
)


def several_graph():
    """Which of two numbers is the larger, and the first of them twice."""
    return side_by_side({"side": number_graph(name="pair"), "far": value_graph()}, {"side": 2, "far": 1})


def picture_graph():
    """The mean of the pixels."""
    pixels = spox.argument(spox.Tensor(np.uint8, ("rows", 4, 4, 3)))
    flat = op.reshape(op.cast(pixels, to=np.float32), op.const(np.array([-1, 48])))
    mean = op.reduce_mean(flat, op.const(np.array([1])), keepdims=1)
    return built({"i": pixels}, mean, (ImageFeed("i", ("photo",), 4, 4, "RGB"),), out="values")


def mixed_graph():
    """The first label where the number is above 0; the others are read and do not count."""
    number = spox.argument(spox.Tensor(np.float32, ("rows", 1)))
    when = spox.argument(spox.Tensor(np.float64, ("rows", 1)))
    city = spox.argument(spox.Tensor(np.str_, ("rows", 1)))
    known = op.where(op.isnan(number), op.const(np.float32(0)), number)
    ignored = op.mul(op.cast(op.isnan(when), to=np.float32), op.const(np.float32(0)))
    there = op.mul(op.cast(op.equal(city, op.const(np.array("x"))), to=np.float32), op.const(np.float32(0)))
    share = op.sigmoid(op.sum([known, ignored, there]))
    both = op.concat([share, op.sub(op.const(np.float32(1)), share)], axis=1)
    feeds = (NumberFeed("n", ("n",)), DateFeed("d", ("when",)), CategoryFeed("c", ("city",)))
    return built({"n": number, "d": when, "c": city}, both, feeds)


GRAPHS = {
    "numbers": (NUMBERS, number_graph()),
    "texts": (TEXTS, text_graph()),
    "values": (VALUES, value_graph()),
    "pictures": (PICTURES, picture_graph()),
    "mixed": (MIXED, mixed_graph()),
    "several": (SEVERAL, several_graph()),
}


def open_tiny(name, **changes):
    """Return one of the models, open."""
    from dataclasses import replace

    manifest, graph = GRAPHS[name]
    return assemble(replace(manifest, feeds=graph.feeds, **changes), {MODEL: graph.onnx, **graph.files})


def write_tiny(folder, name="numbers", *, graph: Graph | None = None, reference=None, **changes):
    """Write one of the packages to `folder` and return it."""
    from dataclasses import replace

    manifest, own = GRAPHS[name]
    graph = graph or own
    pair = {"a": [1.0, 2.0], "b": [0.0, 5.0]}
    cells = {"numbers": pair, "several": pair, "texts": {"review": ["好", "bad room"]},
             "mixed": {"n": [1.0], "when": ["2026-01-31"], "city": ["Paris"]},
             "pictures": {"photo": [np.zeros((4, 4, 3), np.uint8)]}}  # fmt: skip
    columns = cells.get(name, {"a": [1.0]})
    expected = open_graph(graph).run(columns)
    return write_package(
        folder, graph, replace(manifest, **changes), card="# tiny", columns=columns, expected=expected,
        reference=reference,
    )  # fmt: skip
