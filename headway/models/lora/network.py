"""A pretrained decoder as a torch module whose adapters alone learn; any layout of `headway.decoders.stack`.

Where time is short only the upper layers have adapters: nothing is carried back through the lower ones, and what they
make of a text never changes, so that it can be kept (`Kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headway.decoders.exporting import rotary
from headway.decoders.stack import EMBEDDING, HEAD, NORM, NORM_BIAS, POSITIONS, DecoderConfig, Weights, layer_name
from headway.models.lora.adapters import Adapted, Dense, Fixed, Frozen
from headway.models.lora.packing import Packed, collect, spread
from headway.networks.operations import rms_norm, rotated, swiglu

# The maps of a layer that are one here, by what they read.
QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
OUT, DOWN = ("self_attn.o_proj",), ("mlp.down_proj",)
Keep = Callable[[Sequence[Tensor]], Frozen]


class Tuned(nn.Module):
    """Packed texts -> states `[tokens, width]` before the last norm; `finished` turns some into what the head reads."""

    def __init__(
        self,
        config: DecoderConfig,
        weights: Weights,
        *,
        rank: int,
        alpha: float,
        depth: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
        keep: Keep = Dense,
    ) -> None:
        """Take float32 weights without copying them; `keep` says how those of linear maps are kept.

        The upper `depth` layers get adapters, all by default. Products run in `dtype`. The first factors of the
        adapters are drawn from torch's generator.
        """
        super().__init__()
        self.config, self.device = config, device or torch.device("cpu")
        self.dtype = dtype
        self.entry = config.layers - min(depth or config.layers, config.layers)

        def tensor(name: str) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(weights[name])).to(self.device)

        self.table = tensor(EMBEDDING)
        head = self.table if config.tied else tensor(HEAD)
        self.head = head.to(dtype)
        self.places = tensor(POSITIONS) if config.positions == "learned" else None
        self.norm = _norm(config, tensor(NORM), tensor(NORM_BIAS) if config.norm == "layer" else None)
        ranks = [rank if number >= self.entry else 0 for number in range(config.layers)]
        self.layers = nn.ModuleList(
            [
                Layer(config, number, tensor, rank=own, alpha=alpha, dtype=dtype, keep=keep)
                for number, own in enumerate(ranks)
            ]
        )
        cosine, sine = (torch.from_numpy(each).to(self.device) for each in rotary(config))
        self.turns = (cosine, sine)

    def forward(self, packed: Packed, lower: Tensor | None = None) -> Tensor:
        """Return the states of every token after the last layer; `lower`: those that `lower_states` gave, if kept."""
        states = self.lower_states(packed) if lower is None else lower
        return self._through(self.layers[self.entry :], states, packed)

    def lower_states(self, packed: Packed) -> Tensor:
        """Return what enters the layers that learn, `[tokens, width]`."""
        states = functional.embedding(packed.ids, self.table)
        if self.places is not None:
            states = states + functional.embedding(packed.positions, self.places)
        with torch.no_grad():
            return self._through(self.layers[: self.entry], states, packed)

    def _through(self, layers: Iterable[nn.Module], states: Tensor, packed: Packed) -> Tensor:
        cosine, sine = (each[packed.positions].unsqueeze(1) for each in self.turns)
        for layer in layers:
            states = layer(states, packed, cosine, sine)
        return states

    def finished(self, states: Tensor, wanted: Tensor) -> Tensor:
        """Return what the head reads at the `wanted` tokens, `[wanted, width]`."""
        return self.norm(states.index_select(0, wanted))

    def maps(self) -> list[Adapted]:
        """Return the linear maps in order."""
        return [module for module in self.modules() if isinstance(module, Adapted)]

    def merge(self) -> None:
        """Bring the merged weights up to date with the adapters."""
        for each in self.maps():
            each.merge()


class Layer(nn.Module):
    """Attention and a feed-forward part, each after its own norm and added to what it read."""

    def __init__(
        self,
        config: DecoderConfig,
        number: int,
        tensor: Callable[[str], Tensor],
        *,
        rank: int,
        alpha: float,
        dtype: torch.dtype,
        keep: Keep,
    ) -> None:
        """Take one layer's weights; without a `rank` they stay as they are."""
        super().__init__()
        self.config = config

        def norm(part: str) -> Callable[[Tensor], Tensor]:
            shift = tensor(layer_name(number, part, "bias")) if config.norm == "layer" else None
            return _norm(config, tensor(layer_name(number, part)), shift)

        def adapted(parts: Sequence[str], *, biased: bool) -> Adapted | Fixed:
            found = [tensor(layer_name(number, part)) for part in parts]
            bias = torch.cat([tensor(layer_name(number, part, "bias")) for part in parts]) if biased else None
            if not rank:
                return Fixed(keep(found), bias, dtype=dtype)
            return Adapted(keep(found), bias, rank=rank, alpha=alpha, dtype=dtype, copies=keep is Dense)

        everywhere = config.biases == "all"
        self.before_attention, self.before_feed = norm("input_layernorm"), norm("post_attention_layernorm")
        self.inputs = adapted(QKV, biased=config.biases != "none")
        self.output = adapted(OUT, biased=everywhere)
        self.wide = adapted(wide_parts(config), biased=everywhere)
        self.down = adapted(DOWN, biased=everywhere)

    def forward(self, states: Tensor, packed: Packed, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the states `[tokens, width]` after this layer."""
        states = states + self.output(self.attend(self.inputs(self.before_attention(states)), packed, cosine, sine))
        return states + self.down(self.bend(self.wide(self.before_feed(states))))  # type: ignore[no-any-return]

    def attend(self, heads: Tensor, packed: Packed, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return what each token takes from itself and those before it in its text, `[tokens, width]`."""
        config, width = self.config, self.config.head_width
        turning = config.heads + config.key_value_heads
        grouped = heads.view(len(heads), turning + config.key_value_heads, width)
        both, values = torch.split(grouped, [turning, config.key_value_heads], dim=1)
        if config.positions == "rotary":
            both = rotated(both, cosine, sine)
        turned = torch.split(both, [config.heads, config.key_value_heads], dim=1)
        rows = [spread(each.flatten(1), packed) for each in (*turned, values)]
        query, key, value = (each.view(*each.shape[:2], -1, width).transpose(1, 2) for each in rows)
        shares = config.heads != config.key_value_heads
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=shares)
        return collect(mixed.transpose(1, 2).flatten(2), packed)

    def bend(self, both: Tensor) -> Tensor:
        """Return what stands between widening and narrowing."""
        if self.config.feed == "swiglu":
            return swiglu(both)
        return functional.gelu(both, approximate="tanh" if self.config.feed == "gelu_tanh" else "none")


def wide_parts(config: DecoderConfig) -> tuple[str, ...]:
    """Return the maps that widen."""
    return ("mlp.gate_proj", "mlp.up_proj") if config.feed == "swiglu" else ("mlp.up_proj",)


def _norm(config: DecoderConfig, scale: Tensor, shift: Tensor | None) -> Callable[[Tensor], Tensor]:
    """Return a norm that learns nothing."""
    if shift is None:
        return lambda states: rms_norm(states, scale, config.norm_epsilon)
    return lambda states: functional.layer_norm(states, scale.shape, scale, shift, config.norm_epsilon)


class Merged(Mapping[str, np.ndarray]):
    """The weights of the decoder with the adapters' change in them, float32, under their own names.

    Each is made when it is asked for, so that there are never two whole decoders in memory. The change is added to the
    weights that the base came with, also where training kept them in fewer bits.
    """

    def __init__(self, network: Tuned, weights: Weights) -> None:
        """Find out which adapter changes which weight."""
        self._weights = weights
        self._changes: dict[str, tuple[Tensor, Tensor, float]] = {}
        wide = wide_parts(network.config)
        for number, layer in enumerate(network.layers):
            assert isinstance(layer, Layer)
            for module, parts in ((layer.inputs, QKV), (layer.output, OUT), (layer.wide, wide), (layer.down, DOWN)):
                if isinstance(module, Fixed):
                    continue
                ups, downs = torch.split(module.up, module.parts), torch.split(module.down, module.rank)
                for part, up, down in zip(parts, ups, downs, strict=True):
                    self._changes[layer_name(number, part)] = (up.detach(), down.detach(), module.scale)

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one weight."""
        weight = self._weights[name]
        if name not in self._changes:
            return weight
        up, down, scale = self._changes[name]
        return np.asarray((up @ down).mul_(scale).cpu().numpy() + weight)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._weights)

    def __len__(self) -> int:
        """Return how many weights there are."""
        return len(self._weights)
