"""The weights of an exported decoder, taken out of its ONNX model again as they lie there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from headway.decoders.exporting import CONFIG_KEY
from headway.decoders.packing import BLOCK, Packed
from headway.decoders.stack import (
    EMBEDDING,
    HEAD,
    NORM,
    NORM_BIAS,
    POSITIONS,
    DecoderConfig,
    layer_biases,
    layer_name,
)
from headway.errors import PackageError

Weight = np.ndarray | Packed


def recover(onnx: bytes) -> tuple[DecoderConfig, dict[str, Weight]]:
    """Return the sizes and the weights by their names in `LlamaForCausalLM`, packed ones still packed.

    Raises `PackageError` for a model that `export_decoder` did not make.
    """
    import onnx as onnx_format
    from onnx.numpy_helper import to_array

    model = onnx_format.load_model_from_string(onnx)
    said = {entry.key: entry.value for entry in model.metadata_props}
    if CONFIG_KEY not in said:
        raise PackageError("the decoder does not say of which sizes it was made", expected=f"metadata {CONFIG_KEY}")
    config = DecoderConfig(**json.loads(said[CONFIG_KEY]))
    arrays = {tensor.name: to_array(tensor) for tensor in model.graph.initializer}
    try:
        return config, dict(_weights(config, arrays))
    except KeyError as error:
        raise PackageError("the decoder lacks a weight", where=str(error.args[0])) from None


def _weights(config: DecoderConfig, arrays: Mapping[str, np.ndarray]) -> dict[str, Weight]:
    found: dict[str, Weight] = {EMBEDDING: _table(config, arrays, EMBEDDING), NORM: arrays["norm"]}
    if not config.tied:
        found[HEAD] = _product(config.width, arrays, HEAD)
    if config.positions == "learned":
        found[POSITIONS] = arrays[POSITIONS]
    if config.norm == "layer":
        found[NORM_BIAS] = arrays["norm:shift"]
    biased = layer_biases(config)
    for number in range(config.layers):
        at = f"layer.{number}."
        for part, (name, start, stop) in _places(config).items():
            inputs = config.hidden if part == "mlp.down_proj" else config.width
            found[layer_name(number, part)] = rows_of(_product(inputs, arrays, at + name), np.arange(start, stop))
            if part in biased:
                found[layer_name(number, part, "bias")] = arrays[f"{at}{name}:bias"][start:stop]
        for part, name in (("input_layernorm", "norm"), ("post_attention_layernorm", "inner_norm")):
            found[layer_name(number, part)] = arrays[at + name]
            if part in biased:
                found[layer_name(number, part, "bias")] = arrays[f"{at}{name}:shift"]
    return found


def _places(config: DecoderConfig) -> dict[str, tuple[str, int, int]]:
    """Return which rows of which product each linear map of a layer is."""
    narrow, hidden = config.key_value_heads * config.head_width, config.hidden
    feed = {"mlp.up_proj": ("up", 0, hidden)}
    if config.feed == "swiglu":
        feed = {"mlp.gate_proj": ("gate_up", 0, hidden), "mlp.up_proj": ("gate_up", hidden, 2 * hidden)}
    return {
        "self_attn.q_proj": ("qkv", 0, config.width),
        "self_attn.k_proj": ("qkv", config.width, config.width + narrow),
        "self_attn.v_proj": ("qkv", config.width + narrow, config.width + 2 * narrow),
        "self_attn.o_proj": ("out", 0, config.width),
        **feed,
        "mlp.down_proj": ("down", 0, config.width),
    }


def rows_of(weight: Weight, rows: np.ndarray) -> Weight:
    """Return some rows of a weight in the order given."""
    if isinstance(weight, np.ndarray):
        return np.asarray(weight[rows])
    zeros = None if weight.zeros is None else weight.zeros[rows]
    return replace(weight, values=weight.values[rows], scales=weight.scales[rows], zeros=zeros,
                   shape=(len(rows), weight.shape[1]))  # fmt: skip


def _table(config: DecoderConfig, arrays: Mapping[str, np.ndarray], name: str) -> Weight:
    """Return a table of tokens, which lies as it is where it has whole numbers of bits."""
    return arrays[name] if name in arrays else _product(config.width, arrays, name)


def _product(inputs: int, arrays: Mapping[str, np.ndarray], name: str) -> Weight:
    """Return the weight `[out, in]` of a product."""
    if name in arrays:
        return np.ascontiguousarray(arrays[name].T)
    values, scales = arrays[f"{name}:values"], arrays[f"{name}:scales"]
    return Packed(
        values, scales, arrays.get(f"{name}:zeros"), 8 if values.shape[-1] == BLOCK else 4, (len(values), inputs)
    )
