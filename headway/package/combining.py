"""Several graphs as one, and a last step after a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from headway.errors import PackageError
from headway.package.constants import Constants
from headway.package.graph import Graph
from headway.runtime.manifest import Feed
from headway.runtime.weights import lighten

if TYPE_CHECKING:
    import onnx
    import spox

# Probabilities below this are taken for it before the logarithm.
_SMALLEST = 1e-7


def combine(graphs: Sequence[Graph], weights: Sequence[float]) -> Graph:
    """Return the weighted mean of several graphs' answers as one graph.

    `weights` are positive and scaled to sum to 1. Feeds of the same name are read once, and large weights that several
    graphs have are held once. All graphs answer the same labels, or all answer values. Raises `PackageError` where they
    do not fit together.
    """
    if not graphs or len(graphs) != len(weights) or min(weights) <= 0:
        raise PackageError("graphs cannot be combined", expected="one positive weight for each", got=str(list(weights)))
    import spox.opset.ai.onnx.v21 as op

    models = [_signature(graph) for graph in graphs]
    outputs, arguments, constants = _shared_outputs(models), _arguments(models), Constants()
    shares = np.asarray(weights, dtype=np.float64) / float(np.sum(weights))
    answers = [constants.inline(graph.onnx, arguments) for graph in graphs]

    def mean(output: str) -> spox.Var:
        weighted = [
            op.mul(each[output], op.const(np.float32(share))) for each, share in zip(answers, shares, strict=True)
        ]
        return op.sum(weighted) if len(weighted) > 1 else weighted[0]

    return Graph(constants.build(arguments, {name: mean(name) for name in outputs}), _feeds(graphs), _files(graphs))


def side_by_side(graphs: Mapping[str, Graph], widths: Mapping[str, int]) -> Graph:
    """Return graphs of one target each as one graph of all targets: `graphs` and their `widths` by target.

    What several of them have in common, such as the weights of an encoder, is held once, and onnxruntime computes it
    once. Raises `PackageError` where they do not fit together.
    """
    import spox.opset.ai.onnx.v21 as op

    models = {name: _signature(graph) for name, graph in graphs.items()}
    arguments, constants = _arguments(list(models.values())), Constants()
    outputs: dict[str, spox.Var] = {}
    for name, graph in graphs.items():
        (own,) = _shared_outputs([models[name]])
        answer = constants.inline(graph.onnx, arguments)[own]
        outputs[f"{own}:{name}"] = op.reshape(answer, op.const(np.array([-1, widths[name]], np.int64)))
    return Graph(constants.build(arguments, outputs), _feeds(list(graphs.values())), _files(list(graphs.values())))


def calibrate(
    graph: Graph, *, temperature: float, bias: np.ndarray | None = None, output: str = "probabilities"
) -> Graph:
    """Return the graph with softmax(log(p) / temperature + bias) after an output of it; `bias` is `[labels]`.

    Temperature scaling and its vector form (Guo et al. 2017, section 4.2), on log probabilities in place of logits,
    from which they differ by a constant that the softmax removes.
    """
    if not temperature > 0:
        raise PackageError("a temperature must be positive", got=str(temperature))
    import spox.opset.ai.onnx.v21 as op

    def step(probabilities: spox.Var) -> spox.Var:
        logits = op.log(op.max([probabilities, op.const(np.float32(_SMALLEST))]))
        scaled = op.div(logits, op.const(np.float32(temperature)))
        shifted = scaled if bias is None else op.add(scaled, op.const(np.asarray(bias, dtype=np.float32)))
        return op.softmax(shifted, axis=-1)

    return _append(graph, output, step)


def _append(graph: Graph, output: str, step: Callable[[spox.Var], spox.Var]) -> Graph:
    """Return `graph` with `step` after one of its answers."""
    model = _signature(graph)
    if output not in _shared_outputs([model]):
        raise PackageError("this step does not fit the graph", expected=f"the output {output}")
    arguments, constants = _arguments([model]), Constants()
    answers = dict(constants.inline(graph.onnx, arguments))
    return Graph(constants.build(arguments, {**answers, output: step(answers[output])}), graph.feeds, graph.files)


def _signature(graph: Graph) -> onnx.ModelProto:
    """Return the graph as a message without its large weights: what it reads and answers."""
    import onnx

    return onnx.load_model_from_string(lighten(graph.onnx)[0])


def _shared_outputs(models: Sequence[onnx.ModelProto]) -> tuple[str, ...]:
    """Return the names of the outputs that all models have."""
    names = {tuple(str(output.name) for output in model.graph.output) for model in models}
    if len(names) != 1:
        raise PackageError("the graphs answer different things", expected="the same output", got=str(sorted(names)))
    return next(iter(names))


def _arguments(models: Sequence[onnx.ModelProto]) -> dict[str, spox.Var]:
    """Return one typed input for each name that the models read; the first axis is the rows for all of them."""
    import onnx
    import spox

    arguments: dict[str, spox.Var] = {}
    for model in models:
        for value in model.graph.input:
            tensor = value.type.tensor_type
            text = tensor.elem_type == onnx.TensorProto.STRING
            kind = np.str_ if text else onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            sizes = [axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim]
            if value.name not in arguments:
                arguments[value.name] = spox.argument(spox.Tensor(kind, (None, *sizes[1:])))
    return arguments


def _feeds(graphs: Sequence[Graph]) -> tuple[Feed, ...]:
    """Return all feeds, each name once; raises where one name stands for different feeds."""
    feeds: dict[str, Feed] = {}
    for feed in (feed for graph in graphs for feed in graph.feeds):
        if feeds.setdefault(feed.name, feed) != feed:
            raise PackageError(
                f"two graphs have different feeds named {feed.name!r}", got=f"{feeds[feed.name]}, {feed}"
            )
    return tuple(feeds.values())


def _files(graphs: Sequence[Graph]) -> dict[str, bytes]:
    """Return all files, each name once; raises where one name stands for different contents."""
    files: dict[str, bytes] = {}
    for name, content in (pair for graph in graphs for pair in graph.files.items()):
        if files.setdefault(name, content) != content:
            raise PackageError(f"two graphs have different files named {name!r}", fix="name files after their content")
    return files
