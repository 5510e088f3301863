"""Build and run small graphs: the features of training are those of the package, computed by the same nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnxruntime as ort
import spox
from spox import Var

from headway.runtime.manifest import CategoryFeed, DateFeed, Feed, NumberFeed


def arguments(feeds: tuple[Feed, ...]) -> dict[str, Var]:
    """Return one graph input per feed, by name; the first axis is the rows."""
    return {feed.name: spox.argument(_tensor(feed)) for feed in feeds}


def argument(width: int) -> Var:
    """Return a graph input of float32 `[rows, width]`."""
    return spox.argument(spox.Tensor(np.float32, ("rows", width)))


def build(inputs: Mapping[str, Var], outputs: Mapping[str, Var]) -> bytes:
    """Return the serialised ONNX model from `inputs` to `outputs`."""
    return bytes(spox.build(dict(inputs), dict(outputs)).SerializeToString())


def run(onnx: bytes, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of a serialised model for `arrays` by input name; unused arrays are ignored."""
    return opened(onnx)(arrays)


def opened(onnx: bytes) -> Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]:
    """Return a function that does the same as `run`, again and again."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    wanted = {node.name for node in session.get_inputs()}
    return lambda arrays: list(session.run(None, {name: arrays[name] for name in wanted}))


def _tensor(feed: Feed) -> spox.Tensor:
    if isinstance(feed, NumberFeed):
        return spox.Tensor(np.float32, ("rows", len(feed.columns)))
    if isinstance(feed, CategoryFeed):
        return spox.Tensor(np.str_, ("rows", len(feed.columns)))
    if isinstance(feed, DateFeed):
        return spox.Tensor(np.float64, ("rows", len(feed.columns)))
    if feed.kind == "characters":
        return spox.Tensor(np.int32, ("rows", None))
    if feed.kind == "image":
        return spox.Tensor(np.uint8, ("rows", feed.height, feed.width, 1 if feed.mode == "L" else 3))
    message = f"no tensor type for a feed of kind {feed.kind}"
    raise TypeError(message)
