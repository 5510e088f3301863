"""Read a base model's folder into the layout of `headway.decoders.stack`, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headway.bases.base import Base
from headway.bases.folders import CONFIG, read_config
from headway.bases.tensors import read_tensors
from headway.decoders.gpt2 import gpt2_config, refusal, rename_gpt2
from headway.decoders.stack import HEAD, DecoderConfig, check_weights
from headway.errors import BaseModelError

# `model_type`s whose weights lie as Llama's, where their settings ask for nothing more.
_LIKE_LLAMA = ("llama", "mistral", "qwen2")
_WINDOW = 2048


def read_decoder(base: Base) -> tuple[DecoderConfig, dict[str, np.ndarray]]:
    """Return the sizes and the float32 weights of a base.

    Raises `BaseModelError` that names what cannot be said so: another architecture, biases, scaled positions, ...
    """
    settings = read_config(base.folder)
    config = to_config(settings, where=str(base.folder / CONFIG))
    weights = read_tensors(base.folder)
    if settings.get("model_type") == "gpt2":
        weights = rename_gpt2(weights, config)
    if config.tied:
        weights.pop(HEAD, None)
    check_weights(config, weights)
    return config, weights


def to_config(settings: Mapping[str, Any], *, where: str) -> DecoderConfig:
    """Return the sizes in a `config.json`; raises `BaseModelError` for what the layout does not have."""
    try:
        if settings.get("model_type") == "gpt2":
            return gpt2_config(settings, where=where)
        _refuse_others(settings, where)
        heads, width = int(settings["num_attention_heads"]), int(settings["hidden_size"])
        return DecoderConfig(
            vocabulary=int(settings["vocab_size"]),
            width=width,
            layers=int(settings["num_hidden_layers"]),
            heads=heads,
            key_value_heads=int(settings.get("num_key_value_heads") or heads),
            hidden=int(settings["intermediate_size"]),
            window=int(settings.get("max_position_embeddings", _WINDOW)),
            rope_theta=float(_rope(settings).get("rope_theta") or settings.get("rope_theta") or 10000.0),
            norm_epsilon=float(settings.get("rms_norm_eps", 1e-6)),
            tied=bool(settings.get("tie_word_embeddings", False)),
            biases="qkv" if settings.get("model_type") == "qwen2" else "none",
        )
    except KeyError as error:
        raise BaseModelError(
            "the configuration of the decoder is not whole", where=where, expected=f"a value for {error.args[0]}"
        ) from None


def _refuse_others(settings: Mapping[str, Any], where: str) -> None:
    """Raise for the first thing that is not as in Llama."""
    architecture = str(settings.get("model_type"))
    if architecture not in _LIKE_LLAMA:
        raise refusal(f'decoders of the architecture "{architecture}" cannot be packaged yet', where, architecture)
    heads, width = settings.get("num_attention_heads", 1), settings.get("hidden_size", 0)
    odd = {
        "biases": settings.get("attention_bias") or settings.get("mlp_bias"),
        f"the activation {settings.get('hidden_act')}": settings.get("hidden_act", "silu") not in {"silu", "swish"},
        f"positions scaled by {_rope(settings).get('rope_type')}": _rope(settings).get("rope_type", "default")
        != "default",
        "a sliding window": settings.get("sliding_window") and settings.get("use_sliding_window", True),
        "heads of a width of their own": settings.get("head_dim") not in {None, width // heads},
    }
    for name, is_so in odd.items():
        if is_so:
            raise refusal(f"decoders with {name} cannot be packaged yet", where, name)


def _rope(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of the positions; older configurations name the kind of scaling `type`."""
    rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    return {"rope_type": rope["type"], **rope} if "type" in rope else rope
