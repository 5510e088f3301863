"""The fine-tuned encoder and its head as one ONNX graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var, argument

from headway.encoders.checkpoints import is_known
from headway.encoders.nodes import pooled_nodes
from headway.encoders.opening import Encoder, stack_of
from headway.encoders.tuned import Tuned
from headway.errors import TrainingError
from headway.models.encoder_finetune.reading import Reader
from headway.networks.nodes import answer, linear
from headway.networks.trained import Trained
from headway.package.constants import Constants
from headway.package.graph import Graph

Close = Callable[[Var, Trained], dict[str, Var]]


def graph_of(
    trained: Trained, network: Tuned, reader: Reader, lens: Callable[[Var], Var] | None = None, *, close: Close = answer
) -> Graph:
    """Return the graph; raises `TrainingError` for an architecture that has no nodes here.

    `network` is what was trained, or the part of it that holds encoder and head; `lens` stands between these two, and
    `close` turns what the head gives into the named outputs.
    """
    encoder = network.cut.encoder
    stack = stack_of(encoder)
    if stack is None:
        raise _cannot_export(str(encoder.backbone.config.model_type))  # type: ignore[union-attr]
    constants = Constants()
    arguments: dict[str, Var] = {}
    pooled: list[Var] = []
    for index, feed in enumerate(reader.feeds):
        ids, mask = (argument(spox.Tensor(np.int64, ("rows", f"length_{index}"))) for _ in range(2))
        arguments |= {f"{feed.name}.ids": ids, f"{feed.name}.mask": mask}
        pooled.append(pooled_nodes(stack, ids, mask, constants, pooling=encoder.pooling, normalise=encoder.normalise))
    joined = pooled[0] if len(pooled) == 1 else op.concat(pooled, axis=1)
    outputs = close(linear(joined if lens is None else lens(joined), network.head), trained)
    return Graph(constants.build(arguments, outputs), reader.feeds, reader.files)


def check_export(encoder: Encoder) -> None:
    """Raise `TrainingError` where `encoder` has an architecture that cannot become a graph once it has learnt."""
    config = encoder.backbone.config.to_dict()  # type: ignore[operator, union-attr]
    if not is_known(config):
        raise _cannot_export(str(config.get("model_type")))


def _cannot_export(architecture: str) -> TrainingError:
    return TrainingError(
        "the base model cannot be packed once it is fine-tuned",
        expected="an architecture like BERT, RoBERTa, XLM-RoBERTa or DistilBERT",
        got=architecture,
        fix="name another `base`, or leave this candidate out",
    )
