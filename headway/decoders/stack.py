"""A decoder in the layout of Llama as plain arrays, under the names of Transformers' `LlamaForCausalLM`.

RMSNorm before each part, rotary positions (halves of a head rotated against each other), SwiGLU, no biases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.errors import BaseModelError

EMBEDDING, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"

Weights = Mapping[str, np.ndarray]
_LANES = 16


@dataclass(frozen=True)
class DecoderConfig:
    """The sizes of a decoder.

    `vocabulary`: tokens; `width`: of the hidden states; `heads` read `key_value_heads` groups of keys and values;
    `hidden`: width inside SwiGLU; `window`: the most tokens of prompt and answer together; `rope_theta`: base of the
    rotary frequencies; `norm_epsilon`: of all norms; `tied`: the table of tokens is also the head. The width of a head
    must be a multiple of 16 (`check_config`): onnxruntime's attention knows no other.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    key_value_heads: int
    hidden: int
    window: int
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-5
    tied: bool = True

    @property
    def head_width(self) -> int:
        """Return the numbers in one head's query."""
        return self.width // self.heads


def check_config(config: DecoderConfig) -> None:
    """Raise `BaseModelError` for sizes that make no decoder, or none that can be exported."""
    wrong = {
        f"a width that is a multiple of its heads, got {config.width} / {config.heads}": config.width % config.heads,
        f"heads whose width is a multiple of {_LANES}, got {config.head_width}": config.head_width % _LANES,
        f"heads that are a multiple of the groups of keys and values, got {config.heads} / {config.key_value_heads}":
        config.heads % config.key_value_heads,
    }  # fmt: skip
    for expected, left in wrong.items():
        if left:
            raise BaseModelError("the sizes make no decoder that can be exported", expected=expected)


def layer_name(number: int, part: str) -> str:
    """Return the full name of a layer's weight; `part` is such as `self_attn.q_proj`."""
    return f"model.layers.{number}.{part}.weight"


def layer_shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of a layer by its part: `[out, in]` for products, `[width]` for norms."""
    width, narrow = config.width, config.key_value_heads * config.head_width
    return {
        "input_layernorm": (width,),
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (narrow, width),
        "self_attn.v_proj": (narrow, width),
        "self_attn.o_proj": (width, width),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (config.hidden, width),
        "mlp.up_proj": (config.hidden, width),
        "mlp.down_proj": (width, config.hidden),
    }


def shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight that a decoder of these sizes has, by name."""
    table = (config.vocabulary, config.width)
    layers = {
        layer_name(number, part): shape
        for number in range(config.layers)
        for part, shape in layer_shapes(config).items()
    }
    return {EMBEDDING: table, **layers, NORM: (config.width,), **({} if config.tied else {HEAD: table})}


def check_weights(config: DecoderConfig, weights: Weights) -> None:
    """Raise `BaseModelError` that names the first weight that is missing, of another shape, or left over."""
    wanted = shapes(config)
    for name, shape in wanted.items():
        found = weights.get(name)
        if found is None or found.shape != shape:
            raise BaseModelError(
                "the weights of the decoder are not whole" if found is None else "a weight has another shape",
                where=name,
                expected=f"float32 {list(shape)}",
                got="no such weight" if found is None else str(list(found.shape)),
                fix="fetch the model again, or name another `base`",
            )
    odd = sorted(set(weights) - set(wanted) - {HEAD})
    if odd:
        raise BaseModelError(
            "the decoder has weights that its layout does not know",
            where=odd[0],
            expected="the layout of Llama: no biases, no norms beside those of Llama",
            got=f"{len(odd)} more weights",
            fix="name another `base`",
        )
