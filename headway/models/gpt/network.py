"""The transformer as a torch module, in the layout of Llama so that decoders of that kind are exported alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headway.decoders.exporting import rotary
from headway.decoders.stack import EMBEDDING, NORM, DecoderConfig, layer_name
from headway.networks.operations import rms_norm, rotated, swiglu

SPREAD = 0.02


class Decoder(nn.Module):
    """Token ids `[batch, tokens]` -> hidden states `[batch, tokens, width]`; `logits_of` turns them into logits.

    Products that read the same states are one matrix here (queries, keys, values; gate and up), which is faster; the
    names and shapes of `LlamaForCausalLM` come back in `weights_of`. Embedding and head are one table.
    """

    def __init__(self, config: DecoderConfig, *, dropout: float = 0.0) -> None:
        """Draw the weights from torch's generator: normal, the products that end a branch scaled down by depth."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList([Layer(config, dropout) for _ in range(config.layers)])
        self.norm = Norm(config)
        self.dropout = nn.Dropout(dropout)
        self.cosine: Tensor
        self.sine: Tensor
        for name, table in zip(("cosine", "sine"), rotary(config), strict=True):
            self.register_buffer(name, torch.from_numpy(table)[:, None, None], persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                ends = name.endswith(("output.weight", "down.weight"))
                nn.init.normal_(parameter, std=SPREAD / (2 * config.layers) ** 0.5 if ends else SPREAD)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the states after the last norm."""
        states = self.dropout(self.embedding(ids))
        cosine, sine = self.cosine[: ids.shape[1]], self.sine[: ids.shape[1]]
        for layer in self.layers:
            states = layer(states, cosine, sine)
        return self.norm(states)  # type: ignore[no-any-return]

    def logits_of(self, states: Tensor) -> Tensor:
        """Return `[..., vocabulary]`."""
        return functional.linear(states, self.embedding.weight)


class Layer(nn.Module):
    """Attention and SwiGLU, each after its own norm and added to what it read."""

    def __init__(self, config: DecoderConfig, dropout: float) -> None:
        """Make the weights; they are drawn by the decoder."""
        super().__init__()
        self.heads, self.share = config.heads, dropout
        self.before_attention = Norm(config)
        self.inputs = nn.Linear(config.width, 3 * config.width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)
        self.before_feed = Norm(config)
        self.gates = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the states `[batch, tokens, width]` after this layer."""
        states = states + self.dropout(self.attend(self.before_attention(states), cosine, sine))
        inner = swiglu(self.gates(self.before_feed(states)))
        return states + self.dropout(self.down(inner))  # type: ignore[no-any-return]

    def attend(self, states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return what each token takes from itself and those before it."""
        batch, tokens, width = states.shape
        parts = self.inputs(states).view(batch, tokens, 3, self.heads, width // self.heads)
        turned = rotated(parts[:, :, :2], cosine, sine)
        query, key, value = (each.transpose(1, 2) for each in (*turned.unbind(2), parts[:, :, 2]))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, tokens, width))  # type: ignore[no-any-return]


class Norm(nn.Module):
    """RMSNorm with a scale that learns."""

    def __init__(self, config: DecoderConfig) -> None:
        """Begin with a scale of 1."""
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(config.width)), config.norm_epsilon

    def forward(self, states: Tensor) -> Tensor:
        """Return the states `[..., width]` at a common size."""
        return rms_norm(states, self.weight, self.epsilon)


def weights_of(network: Decoder) -> dict[str, np.ndarray]:
    """Return float32 weights under the names of Transformers' `LlamaForCausalLM`."""
    found = {EMBEDDING: network.embedding.weight, NORM: network.norm.weight}
    for number, layer in enumerate(network.layers):
        assert isinstance(layer, Layer)
        query, key, value = layer.inputs.weight.chunk(3)
        gate, up = layer.gates.weight.chunk(2)
        named = {
            "input_layernorm": layer.before_attention.weight,
            "self_attn.q_proj": query,
            "self_attn.k_proj": key,
            "self_attn.v_proj": value,
            "self_attn.o_proj": layer.output.weight,
            "post_attention_layernorm": layer.before_feed.weight,
            "mlp.gate_proj": gate,
            "mlp.up_proj": up,
            "mlp.down_proj": layer.down.weight,
        }
        found |= {layer_name(number, part): weight for part, weight in named.items()}
    return {name: weight.detach().float().cpu().numpy().copy() for name, weight in found.items()}
