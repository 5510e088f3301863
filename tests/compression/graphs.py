"""Small real graphs with weights large enough to be quantised, and rows whose labels they know."""

import numpy as np
import polars as pl
import spox
import spox.opset.ai.onnx.v21 as op

from headway.compression.subject import Subject
from headway.data.dataset import Column, Fold
from headway.models.family import Examples
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.runtime.manifest import CharacterFeed, ImageFeed, NumberFeed
from headway.tasks import Classify

WIDTH, HIDDEN, LABELS = 64, 256, 5
COLUMNS = tuple(f"x{place}" for place in range(WIDTH))
TASK = Classify(tuple("abcde"))


def dense_graph(seed: int = 0, noise: float = 0.0) -> Graph:
    """Two products over numbers; with `noise`, the weights of the first are disturbed."""
    generator = np.random.default_rng(seed)
    first = generator.normal(size=(WIDTH, HIDDEN)).astype(np.float32) / WIDTH**0.5
    second = generator.normal(size=(HIDDEN, LABELS)).astype(np.float32)
    first += (noise * generator.normal(size=first.shape) / WIDTH**0.5).astype(np.float32)
    numbers = spox.argument(spox.Tensor(np.float32, ("rows", WIDTH)))
    hidden = op.relu(op.gemm(numbers, op.const(first), op.const(np.full(HIDDEN, 0.1, np.float32))))
    model = spox.build({"numbers": numbers}, {"probabilities": op.softmax(op.matmul(hidden, op.const(second)))})
    return Graph(model.SerializeToString(), (NumberFeed("numbers", COLUMNS),))


def table_graph(seed: int = 0) -> Graph:
    """Sums of rows of a table, one for each character."""
    generator = np.random.default_rng(seed)
    table = generator.normal(size=(2_000, LABELS)).astype(np.float32)
    codes = spox.argument(spox.Tensor(np.int32, ("rows", "length")))
    found = op.gather(op.const(table), op.mod(codes, op.const(np.int32(2_000))))
    summed = op.reduce_sum(found, op.const(np.array([1])), keepdims=0)
    model = spox.build({"codes": codes}, {"probabilities": op.softmax(op.mul(summed, op.const(np.float32(0.3))))})
    return Graph(model.SerializeToString(), (CharacterFeed("codes", ("text",)),))


def picture_graph(seed: int = 0) -> Graph:
    """Three convolutions, their mean over the picture, and a layer: the shape of the family `cnn`."""
    generator = np.random.default_rng(seed)
    pixels = spox.argument(spox.Tensor(np.uint8, ("rows", 12, 12, 1)))
    x = op.div(op.cast(op.transpose(pixels, perm=[0, 3, 1, 2]), to=np.float32), op.const(np.float32(128)))
    for inputs, outputs in ((1, 16), (16, 32), (32, 32)):
        kernel = generator.normal(size=(outputs, inputs, 3, 3)).astype(np.float32) / (4.5 * inputs) ** 0.5
        bias = np.full(outputs, 0.05, np.float32)
        x = op.relu(op.conv(x, op.const(kernel), op.const(bias), pads=[1, 1, 1, 1], kernel_shape=[3, 3]))
    mean = op.reduce_mean(x, op.const(np.array([2, 3])), keepdims=0)
    head = op.const(8 * generator.normal(size=(32, LABELS)).astype(np.float32))
    outputs = op.gemm(mean, head, op.const(np.zeros(LABELS, np.float32)))
    model = spox.build({"picture": pixels}, {"probabilities": op.softmax(outputs, axis=1)})
    return Graph(model.SerializeToString(), (ImageFeed("picture", ("picture",), 12, 12, "L"),))


def pictures(rows: int, seed: int = 1) -> dict[str, list[np.ndarray]]:
    generator = np.random.default_rng(seed)
    return {"picture": [generator.integers(0, 256, (12, 12), dtype=np.uint8) for _ in range(rows)]}


def numbers_frame(rows: int, seed: int = 1) -> pl.DataFrame:
    return pl.DataFrame(np.random.default_rng(seed).normal(size=(rows, WIDTH)), schema=list(COLUMNS))


def texts_frame(rows: int, seed: int = 1) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    return pl.DataFrame({"text": ["".join(map(chr, generator.integers(0x4E00, 0x5400, 12))) for _ in range(rows)]})


def subject_of(graph: Graph, frame: pl.DataFrame, *, shipped: Graph | None = None, **settings) -> Subject:
    """A subject whose original answers about 19 of 20 rows right; the last third of the rows judges."""
    generator = np.random.default_rng(0)
    y = open_graph(graph).run(frame.to_dict()).argmax(1)
    wrong = generator.random(len(y)) < 0.05
    y = np.where(wrong, generator.integers(0, LABELS, len(y)), y)
    kind = "text" if "text" in frame.columns else "number"
    examples = Examples(frame, tuple(Column(name, kind) for name in frame.columns), y)
    places = np.arange(len(y))
    fold = Fold(places[: -len(y) // 3], places[-len(y) // 3 :])
    return Subject(graph, shipped or graph, examples, places, fold, TASK, "accuracy", **settings)
