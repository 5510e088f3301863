"""A base, or a module trained from it, as one ONNX model: token ids and mask in, a vector for each text out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.bases.base import Base
from headway.compute.quiet import without_advice
from headway.encoders.checkpoints import read_stack
from headway.encoders.nodes import Pooling, pool, pooled_nodes
from headway.encoders.quantising import VERSION, quantised
from headway.encoders.reading import token_feed, tokenizer_bytes, tokenizer_files
from headway.encoders.stack import Stack
from headway.errors import TrainingError
from headway.package.constants import Constants
from headway.runtime.feeds import encode
from headway.runtime.feeds.tokens import open_tokenizer

if TYPE_CHECKING:
    from headway.encoders.opening import Encoder

Precision = Literal["float32", "int8"]
OUTPUT = "pooled"
# How many texts of random words show which columns of activations are large.
_SAMPLED, _LONGEST = 64, 24


# One at a time: a large base takes half a gigabyte, and once the precision is chosen nobody asks for the other.
@lru_cache(maxsize=1)
def base_model(base: Base, precision: Precision = "float32") -> bytes:
    """Return a base as an ONNX model with inputs `ids` and `mask`, int64 `[rows, length]`, and the output `pooled`.

    float32 `[rows, hidden]`, pooled as the base says. Built without torch for the architectures of `checkpoints`, and
    by `torch.onnx` for all others. The same base and precision give the same model.
    """
    if precision == "int8":
        import onnx

        whole = onnx.load_model_from_string(base_model(base, "float32"))
        return bytes(quantised(whole, sample_of(base)).SerializeToString())
    stack = read_stack(base)
    if stack is not None:
        return stack_model(stack, pooling=base.pooling)
    from headway.encoders.opening import open_encoder

    return traced_model(open_encoder(base))


def encoder_model(encoder: Encoder) -> bytes:
    """Return a module with its present weights as an ONNX model like that of `base_model`, in float32."""
    from headway.encoders.opening import stack_of

    stack = stack_of(encoder)
    if stack is None:
        return traced_model(encoder)
    return stack_model(stack, pooling=encoder.pooling, normalise=encoder.normalise)


def stack_model(stack: Stack, *, pooling: Pooling, normalise: bool = False) -> bytes:
    """Return weights as an ONNX model like that of `base_model`."""
    constants, ids, mask = Constants(), _integers(), _integers()
    pooled = pooled_nodes(stack, ids, mask, constants, pooling=pooling, normalise=normalise)
    return constants.build({"ids": ids, "mask": mask}, {OUTPUT: pooled})


def traced_model(encoder: Encoder) -> bytes:
    """Return any Transformers encoder as an ONNX model like that of `base_model`, traced by `torch.onnx`.

    Raises `TrainingError` where it cannot be traced.
    """
    constants, given = Constants(), {"ids": _integers(), "mask": _integers()}
    states = constants.inline(_traced(encoder), given)["states"]
    pooled = pool(op.cast(states, to=np.float32), given["mask"], pooling=encoder.pooling, normalise=encoder.normalise)
    return constants.build(given, {OUTPUT: pooled})


def _traced(encoder: Encoder) -> bytes:
    """Return what `torch.onnx` makes of an encoder, from `ids` and `mask` to `states`."""
    import torch

    from headway.encoders.opening import States

    # Two tensors of two values: the exporter takes one tensor that is handed over twice for one input.
    ids, mask = torch.full((2, 8), 2, dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64)
    axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with without_advice():  # torch tells of its own parts that it will replace, and of libraries that it lacks
            program = torch.onnx.export(
                States(encoder.backbone).eval(),
                (ids, mask),
                dynamo=True,
                input_names=["ids", "mask"],
                output_names=["states"],
                dynamic_shapes=(axes, axes),
                opset_version=21,
                verbose=False,
            )
        assert program is not None
        return bytes(program.model_proto.SerializeToString())
    except Exception as error:  # each step of tracing fails in its own way
        raise TrainingError(
            "the base model cannot be exported",
            expected="an encoder that torch.onnx can trace",
            got=_first_cause(error),
            fix="name another `base`, or leave this candidate out",
        ) from error


def _first_cause(error: BaseException) -> str:
    """Return the kind and the first line of what an error began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().split("\n")
    return f"{type(error).__name__}: {lines[0]}"[:200]


def pooled_columns(model: bytes, pairs: list[tuple[Var, Var]], constants: Constants) -> Var:
    """Return float32 `[rows, columns * hidden]`: the vectors of each (ids, mask), one after another."""
    parts = [constants.inline(model, {"ids": ids, "mask": mask})[OUTPUT] for ids, mask in pairs]
    return parts[0] if len(parts) == 1 else op.concat(parts, axis=1)


def sample_of(base: Base) -> dict[str, np.ndarray]:
    """Return `ids` and `mask` of texts made of words drawn from the base's own vocabulary; always the same."""
    tokenizer = open_tokenizer(tokenizer_bytes(base), base.max_length)
    words = sorted(tokenizer.get_vocab(with_added_tokens=False))
    generator = np.random.default_rng(0)
    texts = [
        " ".join(words[index].strip("#▁Ġ") for index in generator.integers(0, len(words), size))
        for size in generator.integers(3, _LONGEST, _SAMPLED)
    ]
    feed = token_feed(base, "sample")
    arrays = encode(feed, {"sample": texts}, files=tokenizer_files(base))
    return {part: arrays[f"{feed.name}.{part}"] for part in ("ids", "mask")}


def feature_key(base: Base, precision: Precision) -> str:
    """Return what names the vectors of a base in a precision: equal keys, equal vectors for equal texts."""
    kind = VERSION if precision == "int8" else precision
    return "-".join([base.digest[:16], kind, token_feed(base, "").name.rpartition(":")[2], base.pooling])


def _integers() -> Var:
    return spox.argument(spox.Tensor(np.int64, ("rows", "length")))
