"""The fine-tuned encoder and its head as one ONNX graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var, argument

from headway.encoders.exporting import OUTPUT, traced_model
from headway.encoders.nodes import pooled_nodes
from headway.encoders.opening import stack_of
from headway.encoders.tuned import Tuned
from headway.models.encoder_finetune.reading import Reader
from headway.networks.nodes import answer, linear
from headway.networks.trained import Trained
from headway.package.constants import Constants
from headway.package.graph import Graph

Close = Callable[[Var, Trained], dict[str, Var]]


def graph_of(
    trained: Trained, network: Tuned, reader: Reader, lens: Callable[[Var], Var] | None = None, *, close: Close = answer
) -> Graph:
    """Return the graph: of nodes for the architectures that have some here, traced for others.

    `network` is what was trained, or the part of it that holds encoder and head; `lens` stands between these two, and
    `close` turns what the head gives into the named outputs.
    """
    encoder = network.cut.encoder
    stack, constants = stack_of(encoder), Constants()
    traced = traced_model(encoder) if stack is None else b""
    arguments: dict[str, Var] = {}
    pooled: list[Var] = []
    for index, feed in enumerate(reader.feeds):
        ids, mask = (argument(spox.Tensor(np.int64, ("rows", f"length_{index}"))) for _ in range(2))
        arguments |= {f"{feed.name}.ids": ids, f"{feed.name}.mask": mask}
        if stack is None:
            pooled.append(constants.inline(traced, {"ids": ids, "mask": mask})[OUTPUT])
        else:
            pooling, normalise = encoder.pooling, encoder.normalise
            pooled.append(pooled_nodes(stack, ids, mask, constants, pooling=pooling, normalise=normalise))
    joined = pooled[0] if len(pooled) == 1 else op.concat(pooled, axis=1)
    outputs = close(linear(joined if lens is None else lens(joined), network.head), trained)
    return Graph(constants.build(arguments, outputs), reader.feeds, reader.files)
