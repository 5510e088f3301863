"""A decoder as plain arrays, under the names of Transformers' `LlamaForCausalLM`, whatever its own were.

Llama's own layout is RMSNorm before each part, rotary positions (halves of a head rotated against each other), SwiGLU
and no biases. Others differ in a few parts that the configuration names: GPT-2 has LayerNorm, a table of positions, one
map up and GELU, and biases everywhere; Qwen2 has biases on queries, keys and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headway.errors import BaseModelError

EMBEDDING, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
# Where positions are learnt, and the shift of the last norm where norms have one.
POSITIONS, NORM_BIAS = "model.embed_positions.weight", "model.norm.bias"

# SwiGLU; GELU with the error function; GELU by a hyperbolic tangent (Hendrycks and Gimpel 2016, section 2).
Feed = Literal["swiglu", "gelu", "gelu_tanh"]

Weights = Mapping[str, np.ndarray]
_LANES = 16


@dataclass(frozen=True)
class DecoderConfig:
    """The sizes of a decoder.

    `vocabulary`: tokens; `width`: of the hidden states; `heads` read `key_value_heads` groups of keys and values;
    `hidden`: width inside SwiGLU; `window`: the most tokens of prompt and answer together; `rope_theta`: base of the
    rotary frequencies; `norm_epsilon`: of all norms; `tied`: the table of tokens is also the head. The width of a head
    must be a multiple of 16 (`check_config`): onnxruntime's attention knows no other. `norm`: RMSNorm or LayerNorm;
    `positions`: rotary, or a table of `window` rows added to the tokens; `feed`: what stands between the two parts that
    widen and narrow; `biases`: of the linear maps.
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
    norm: Literal["rms", "layer"] = "rms"
    positions: Literal["rotary", "learned"] = "rotary"
    feed: Feed = "swiglu"
    biases: Literal["none", "qkv", "all"] = "none"

    @property
    def head_width(self) -> int:
        """Return the numbers in one head's query."""
        return self.width // self.heads

    @property
    def is_llama(self) -> bool:
        """Tell whether the layout is Llama's own."""
        return (self.norm, self.positions, self.feed, self.biases) == ("rms", "rotary", "swiglu", "none")


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


def layer_name(number: int, part: str, kind: Literal["weight", "bias"] = "weight") -> str:
    """Return the full name of a layer's weight; `part` is such as `self_attn.q_proj`."""
    return f"model.layers.{number}.{part}.{kind}"


def layer_shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of a layer by its part: `[out, in]` for products, `[width]` for norms."""
    width, narrow = config.width, config.key_value_heads * config.head_width
    gate = {"mlp.gate_proj": (config.hidden, width)} if config.feed == "swiglu" else {}
    return {
        "input_layernorm": (width,),
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (narrow, width),
        "self_attn.v_proj": (narrow, width),
        "self_attn.o_proj": (width, width),
        "post_attention_layernorm": (width,),
        **gate,
        "mlp.up_proj": (config.hidden, width),
        "mlp.down_proj": (width, config.hidden),
    }


def layer_biases(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each bias of a layer by its part; norms that shift have one too."""
    norms = ("input_layernorm", "post_attention_layernorm")
    heads = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
    biased = [*(norms if config.norm == "layer" else ()), *(heads if config.biases != "none" else ())]
    known = layer_shapes(config)
    if config.biases == "all":
        biased += [part for part in known if part not in norms + heads]
    return {part: known[part][:1] for part in biased}


def shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight that a decoder of these sizes has, by name."""
    table = (config.vocabulary, config.width)
    found: dict[str, tuple[int, ...]] = {EMBEDDING: table}
    if config.positions == "learned":
        found[POSITIONS] = (config.window, config.width)
    for number in range(config.layers):
        found |= {layer_name(number, part): shape for part, shape in layer_shapes(config).items()}
        found |= {layer_name(number, part, "bias"): shape for part, shape in layer_biases(config).items()}
    found[NORM] = (config.width,)
    if config.norm == "layer":
        found[NORM_BIAS] = (config.width,)
    return found if config.tied else {**found, HEAD: table}


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
            expected="those of its layout alone: no biases and no norms beside them",
            got=f"{len(odd)} more weights",
            fix="name another `base`",
        )
