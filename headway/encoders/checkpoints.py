"""Read the weights of a checkpoint folder into a `Stack`, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headway.bases.base import Base
from headway.bases.folders import read_config
from headway.bases.tensors import read_tensors
from headway.encoders.stack import Activation, Dense, Layer, Norm, Stack
from headway.errors import BaseModelError

ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}


@dataclass(frozen=True)
class Names:
    """What a family of checkpoints calls its tensors; `layer` holds `{}` for the number of the layer."""

    embedding_norm: str
    layer: str
    query: str
    key: str
    value: str
    out: str
    attention_norm: str
    up: str
    down: str
    norm: str
    type_embeddings: str | None
    heads: str
    layers: str
    activation: str


BERT = Names(
    embedding_norm="embeddings.LayerNorm",
    layer="encoder.layer.{}.",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    out="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    norm="output.LayerNorm",
    type_embeddings="embeddings.token_type_embeddings.weight",
    heads="num_attention_heads",
    layers="num_hidden_layers",
    activation="hidden_act",
)
DISTILBERT = Names(
    embedding_norm="embeddings.LayerNorm",
    layer="transformer.layer.{}.",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    out="attention.out_lin",
    attention_norm="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    norm="output_layer_norm",
    type_embeddings=None,
    heads="n_heads",
    layers="n_layers",
    activation="activation",
)
# By `model_type` of the configuration: the names, and whether positions begin after the padding id.
KNOWN: Mapping[str, tuple[Names, bool]] = {
    "bert": (BERT, False),
    "roberta": (BERT, True),
    "xlm-roberta": (BERT, True),
    "camembert": (BERT, True),
    "distilbert": (DISTILBERT, False),
}


def read_stack(base: Base) -> Stack | None:
    """Return the weights of a base in the common layout, None where its architecture has another."""
    config = read_config(base.folder)
    return to_stack(config, read_tensors(base.folder)) if is_known(config) else None


def is_known(config: Mapping[str, Any]) -> bool:
    """Tell whether `to_stack` understands models of this configuration."""
    plain = config.get("position_embedding_type", "absolute") == "absolute"
    kind = KNOWN.get(str(config.get("model_type")))
    return plain and kind is not None and str(config.get(kind[0].activation)) in ACTIVATIONS


def to_stack(config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Stack:
    """Arrange the tensors of a known architecture; raises `BaseModelError` that names a tensor that is missing."""
    names, shifted = KNOWN[str(config["model_type"])]
    found = _Tensors(tensors)
    positions = found["embeddings.position_embeddings.weight"]
    if shifted:
        positions = positions[_whole_number(config, "pad_token_id", least=0) + 1 :]
    if names.type_embeddings is not None and names.type_embeddings in found:
        positions = positions + found[names.type_embeddings][0]
    count, words = _whole_number(config, names.layers), found["embeddings.word_embeddings.weight"]
    return Stack(
        words=words,
        positions=positions,
        embedding_norm=_norm(found, names.embedding_norm),
        layers=tuple(_layer(found, names, names.layer.format(number)) for number in range(count)),
        heads=_heads(config, names.heads, width=words.shape[1]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        activation=ACTIVATIONS[str(config[names.activation])],
    )


def _heads(config: Mapping[str, Any], name: str, *, width: int) -> int:
    """Return the number of heads, each of which gets an equal part of `width`."""
    heads = _whole_number(config, name)
    if width % heads:
        raise _strange(f"a {name} that divides the width {width}", heads)
    return heads


def _whole_number(config: Mapping[str, Any], name: str, *, least: int = 1) -> int:
    value = config.get(name)
    if not isinstance(value, int) or value < least:
        raise _strange(f"a whole number as {name}", value)
    return value


def _strange(expected: str, value: object) -> BaseModelError:
    return BaseModelError(
        "the configuration of the base model does not describe its weights",
        expected=expected,
        got="nothing" if value is None else repr(value),
        fix="download the model again, or name another `base`",
    )


class _Tensors:
    """Tensors by their name without what a wrapping model puts before it ("bert.", "roberta.", ...)."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Find the prefix by the one tensor that every encoder has."""
        anchor = "embeddings.word_embeddings.weight"
        self.tensors = tensors
        self.prefix = next((name[: -len(anchor)] for name in tensors if name.endswith(anchor)), "")

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a tensor."""
        return self.prefix + name in self.tensors

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a tensor; raises `BaseModelError` where it is missing."""
        if name not in self:
            raise BaseModelError(
                "the weights of the base model are not whole",
                expected=f"a tensor {self.prefix + name!r}",
                got=f"{len(self.tensors)} tensors without it",
                fix="download the model again, or name another `base`",
            )
        return self.tensors[self.prefix + name]


def _layer(found: _Tensors, names: Names, at: str) -> Layer:
    return Layer(
        query=_dense(found, at + names.query),
        key=_dense(found, at + names.key),
        value=_dense(found, at + names.value),
        out=_dense(found, at + names.out),
        attention_norm=_norm(found, at + names.attention_norm),
        up=_dense(found, at + names.up),
        down=_dense(found, at + names.down),
        norm=_norm(found, at + names.norm),
    )


def _dense(found: _Tensors, name: str) -> Dense:
    return Dense(np.ascontiguousarray(found[f"{name}.weight"].T), found[f"{name}.bias"])


def _norm(found: _Tensors, name: str) -> Norm:
    old = f"{name}.gamma" in found
    return Norm(found[f"{name}.gamma" if old else f"{name}.weight"], found[f"{name}.beta" if old else f"{name}.bias"])
