"""A transformer encoder as plain arrays, whatever names its checkpoint gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Activation = Literal["gelu", "gelu_tanh", "relu"]


@dataclass(frozen=True)
class Dense:
    """`x @ weight + bias`; `weight` float32 `[in, out]`, `bias` `[out]`."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Norm:
    """Layer normalisation: float32 `[hidden]` each."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Layer:
    """One layer with its norms after the sums (Vaswani et al. 2017; BERT, RoBERTa, XLM-R, DistilBERT)."""

    query: Dense
    key: Dense
    value: Dense
    out: Dense
    attention_norm: Norm
    up: Dense
    down: Dense
    norm: Norm


@dataclass(frozen=True)
class Stack:
    """Embeddings and layers.

    `words`: float32 `[vocabulary, hidden]`. `positions`: float32 `[longest, hidden]`, row 0 for the first token, the
    embedding of token type 0 added in. `epsilon` is that of all norms.
    """

    words: np.ndarray
    positions: np.ndarray
    embedding_norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    epsilon: float
    activation: Activation

    @property
    def hidden(self) -> int:
        """Return the width of the hidden states."""
        return int(self.words.shape[1])
