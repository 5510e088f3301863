"""A decoder as one ONNX model: new tokens and the keys and values of the earlier ones in, logits and both out.

The operators are those that onnxruntime wrote for decoders: attention that appends to the cache in place and turns
positions itself (GroupQueryAttention), norms joined to the sums before them, and products with weights of few bits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from headway.decoders.packing import BLOCK, Bits, Packed, pack
from headway.decoders.stack import (
    EMBEDDING,
    HEAD,
    NORM,
    NORM_BIAS,
    POSITIONS,
    DecoderConfig,
    Weights,
    check_config,
    check_weights,
    layer_biases,
    layer_name,
)
from headway.runtime.weights import weigh_down

if TYPE_CHECKING:
    from onnx import NodeProto, ValueInfoProto

Precision = Literal["float32", "int8", "mixed", "int4"]
# With mixed bits the maps that widen have four in the middle layers, which bear it best. On SmolLM2 and Shakespeare
# that costs 1.6% of the perplexity, 3.7% in all layers, and four bits in every map of the feed-forward part 8.3%.
WIDENING, MIDDLE = frozenset({"gate_up", "up"}), (1 / 6, 5 / 6)
# Under this name the model says which sizes it was made of.
CONFIG_KEY = "headway.decoder"
_DOMAIN, _OPSET, _IR = "com.microsoft", 21, 10
# Products are of eight-bit integers in onnxruntime where the weights have few bits.
_INTEGERS = 4


def export_decoder(config: DecoderConfig, weights: Weights, *, precision: Precision = "float32") -> bytes:
    """Return a decoder as an ONNX model; raises `BaseModelError` for sizes that cannot be, and weights that do not fit.

    Inputs: `ids`, int64 `[rows, length]`, the new tokens, padded on the right; `last`, int32 `[rows]`, the place of
    each row's last token among all its tokens; `total`, int32 `[]`, the most tokens of a row, earlier ones included;
    `wanted`, int64 `[wanted]`, the places in the flattened ids whose logits are asked for; `past.N.key` and
    `past.N.value`, float32 `[rows, key_value_heads, buffer, head]`. Outputs: `logits`, float32
    `[wanted, vocabulary]`, and `present.N.key` and `present.N.value`, which may share the memory of the past.

    Either no row has earlier tokens, or every row gets one new token, or there is one row. `bits_of_map` says which
    weights have how many bits; the table of tokens and the head have eight where any are few.
    """
    check_config(config)
    check_weights(config, weights)
    draft = _Draft(precision)
    embedded = _embed(draft, weights)
    state = _State(embedded if config.positions == "rotary" else _place(draft, weights, embedded))
    for number in range(config.layers):
        state = _layer(draft, config, weights, number, state)
    _head(draft, config, weights, state)
    return draft.build(config)


def bits_of_map(precision: Precision, name: str, *, number: int, layers: int) -> Bits | None:
    """Return the bits of one map (qkv, out, gate_up or up, down) of layer `number`, None for float32."""
    if precision == "float32":
        return None
    is_middle = MIDDLE[0] < (number + 0.5) / layers < MIDDLE[1]
    return 4 if precision == "int4" or (precision == "mixed" and name in WIDENING and is_middle) else 8


@dataclass(frozen=True)
class _Norm:
    """The scale of a norm, and its shift where it has one."""

    scale: np.ndarray
    shift: np.ndarray | None = None


@dataclass
class _Draft:
    """The parts of the graph."""

    precision: Precision
    nodes: list[NodeProto] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    small: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, operator: str, inputs: list[str], outputs: list[str], *, domain: str = "", **attributes: Any) -> str:
        """Append a node; return its first output."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def hold(self, name: str, array: np.ndarray) -> str:
        """Keep an array; return its name."""
        self.arrays.setdefault(name, array)
        return name

    def product(
        self, x: str, name: str, weight: np.ndarray, output: str, *, bits: Bits | None, bias: np.ndarray | None = None
    ) -> str:
        """Append the product with a weight `[out, in]`, and a bias `[out]` where there is one; return `output`."""
        if bias is not None:
            plain = self.product(x, name, weight, f"{output}:plain", bits=bits)
            return self.add("Add", [plain, self.hold(f"{name}:bias", bias)], [output])
        if bits is None:
            return self.add("MatMul", [x, self.hold(name, np.ascontiguousarray(weight.T))], [output])
        packed = pack(weight, bits)
        inputs = [x, *self.hold_packed(name, packed)]
        sizes = {"K": packed.shape[1], "N": packed.shape[0], "bits": bits, "block_size": BLOCK}
        return self.add("MatMulNBits", inputs, [output], domain=_DOMAIN, accuracy_level=_INTEGERS, **sizes)

    def hold_packed(self, name: str, packed: Packed) -> list[str]:
        """Keep the parts of a packed weight; return their names."""
        names = [self.hold(f"{name}:values", packed.values), self.hold(f"{name}:scales", packed.scales)]
        return names if packed.zeros is None else [*names, self.hold(f"{name}:zeros", packed.zeros)]

    def norm(self, x: str, skip: str | None, name: str, norm: _Norm, epsilon: float) -> tuple[str, str]:
        """Append the norm of `x + skip`; return the output and that sum."""
        output, inputs = f"{name}:output", [self.hold(name, norm.scale)]
        if norm.shift is not None:
            inputs.append(self.hold(f"{name}:shift", norm.shift))
        if skip is None:
            operator = "SimplifiedLayerNormalization" if norm.shift is None else "LayerNormalization"
            self.add(operator, [x, *inputs], [output], axis=-1, epsilon=epsilon)
            return output, x
        operator = "SkipSimplifiedLayerNormalization" if norm.shift is None else "SkipLayerNormalization"
        outputs = [output, "", "", f"{name}:sum"]
        self.add(operator, [x, skip, *inputs], outputs, domain=_DOMAIN, epsilon=epsilon)
        return output, outputs[3]

    def build(self, config: DecoderConfig) -> bytes:
        """Return the serialised model with all arrays in it."""
        from onnx import helper
        from onnx.numpy_helper import from_array

        inputs, outputs = _signature(config)
        graph = helper.make_graph(self.nodes, "decoder", inputs, outputs)
        graph.initializer.extend(from_array(array, name) for name, array in self.small.items())
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        helper.set_model_props(model, {CONFIG_KEY: json.dumps(asdict(config))})
        return weigh_down(model.SerializeToString(), self.arrays)


def _embed(draft: _Draft, weights: Weights) -> str:
    """Append the look-up of the tokens; return float32 `[rows, length, width]`."""
    table = weights[EMBEDDING]
    if draft.precision == "float32":
        return draft.add("Gather", [draft.hold(EMBEDDING, table), "ids"], ["embedded"])
    packed = pack(table, 8)
    values, scales = draft.hold_packed(EMBEDDING, packed)
    blocks, width = packed.scales.shape[1], packed.shape[1]
    draft.small |= {
        "table:middle": np.array(128, np.float32),
        "table:flat": np.array([0, 0, blocks * BLOCK]),
        "table:from": np.array([0]),
        "table:to": np.array([width]),
        "table:axis": np.array([2]),
        "table:last": np.array([-1]),
    }
    found = draft.add("Gather", [values, "ids"], ["embedded:values"])
    found = draft.add("Cast", [found], ["embedded:wide"], to=1)
    found = draft.add("Sub", [found, "table:middle"], ["embedded:centred"])
    steps = draft.add("Gather", [scales, "ids"], ["embedded:scales"])
    steps = draft.add("Unsqueeze", [steps, "table:last"], ["embedded:steps"])
    found = draft.add("Mul", [found, steps], ["embedded:blocks"])
    found = draft.add("Reshape", [found, "table:flat"], ["embedded:filled"])
    return draft.add("Slice", [found, "table:from", "table:to", "table:axis"], ["embedded"])


def _place(draft: _Draft, weights: Weights, embedded: str) -> str:
    """Append the learnt position of each token; return its sum with `embedded`.

    The first of a row's new tokens stands at `last - length + 1`, or at 0 in rows that are filled up on the right.
    """
    draft.small |= {
        "place:one": np.array(1),
        "place:zero": np.array(0),
        "place:axis": np.array([1]),
    }
    draft.add("Shape", ["ids"], ["place:length"], start=1, end=2)
    length = draft.add("Squeeze", ["place:length"], ["place:count"])
    last = draft.add("Cast", ["last"], ["place:last"], to=7)
    before = draft.add("Sub", [last, draft.add("Sub", [length, "place:one"], ["place:end"])], ["place:before"])
    first = draft.add("Max", [before, "place:zero"], ["place:first"])
    rows = draft.add("Unsqueeze", [first, "place:axis"], ["place:rows"])
    steps = draft.add("Range", ["place:zero", length, "place:one"], ["place:steps"])
    places = draft.add("Add", [rows, steps], ["places"])
    found = draft.add("Gather", [draft.hold(POSITIONS, weights[POSITIONS]), places], ["positions"])
    return draft.add("Add", [embedded, found], ["placed"])


@dataclass(frozen=True)
class _State:
    """What one part hands to the next: the hidden states, and what is still to be added to them."""

    x: str
    skip: str | None = None


def _layer(draft: _Draft, config: DecoderConfig, weights: Weights, number: int, state: _State) -> _State:
    """Append one layer."""
    biased = layer_biases(config)

    def weight(*parts: str) -> np.ndarray:
        return np.concatenate([weights[layer_name(number, part)] for part in parts])

    def bias(*parts: str) -> np.ndarray | None:
        if parts[0] not in biased:
            return None
        return np.concatenate([weights[layer_name(number, part, "bias")] for part in parts])

    def norm(part: str) -> _Norm:
        return _Norm(weights[layer_name(number, part)], bias(part))

    at = f"layer.{number}."

    def product(x: str, name: str, parts: Sequence[str], output: str) -> str:
        bits = bits_of_map(draft.precision, name, number=number, layers=config.layers)
        return draft.product(x, at + name, weight(*parts), at + output, bits=bits, bias=bias(*parts))

    read = tuple(f"self_attn.{part}_proj" for part in "qkv")
    normed, x = draft.norm(state.x, state.skip, at + "norm", norm("input_layernorm"), config.norm_epsilon)
    attended = _attend(draft, config, number, product(normed, "qkv", read, "heads"))
    context = product(attended, "out", ("self_attn.o_proj",), "context")
    normed, x = draft.norm(x, context, at + "inner_norm", norm("post_attention_layernorm"), config.norm_epsilon)
    wide = ("mlp.gate_proj", "mlp.up_proj") if config.feed == "swiglu" else ("mlp.up_proj",)
    both = product(normed, "gate_up" if config.feed == "swiglu" else "up", wide, "both")
    inner = _bend(draft, config, at, both)
    return _State(x, product(inner, "down", ("mlp.down_proj",), "output"))


def _bend(draft: _Draft, config: DecoderConfig, at: str, both: str) -> str:
    """Append what stands between widening and narrowing; return float32 `[rows, length, hidden]`."""
    if config.feed != "swiglu":
        how = {"gelu": "none", "gelu_tanh": "tanh"}[config.feed]
        return draft.add("Gelu", [both], [at + "inner"], approximate=how)
    draft.add("Split", [both], [at + "gate", at + "up"], axis=-1, num_outputs=2)
    gate = draft.add("QuickGelu", [at + "gate"], [at + "silu"], domain=_DOMAIN, alpha=1.0)
    return draft.add("Mul", [gate, at + "up"], [at + "inner"])


def _attend(draft: _Draft, config: DecoderConfig, number: int, heads: str) -> str:
    """Append attention over the cache and the new tokens; return float32 `[rows, length, width]`."""
    caches = [f"past.{number}.key", f"past.{number}.value"]
    turns: list[str] = []
    if config.positions == "rotary":
        cosines, sines = rotary(config)
        turns = [draft.hold("rotary:cosines", cosines), draft.hold("rotary:sines", sines)]
    return draft.add(
        "GroupQueryAttention",
        [heads, "", "", *caches, "last", "total", *turns],
        [f"layer.{number}.attended", f"present.{number}.key", f"present.{number}.value"],
        domain=_DOMAIN,
        num_heads=config.heads,
        kv_num_heads=config.key_value_heads,
        do_rotary=len(turns) // 2,
        rotary_interleaved=0,
    )


def rotary(config: DecoderConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and sines, float32 `[window, head_width / 2]` each (Su et al. 2021, section 3.2.2)."""
    half = np.arange(0, config.head_width, 2, dtype=np.float32) / np.float32(config.head_width)
    angles = np.outer(np.arange(config.window, dtype=np.float32), np.float32(1) / np.float32(config.rope_theta) ** half)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _head(draft: _Draft, config: DecoderConfig, weights: Weights, state: _State) -> None:
    """Append the logits of the wanted places."""
    last = _Norm(weights[NORM], weights.get(NORM_BIAS) if config.norm == "layer" else None)
    normed, _ = draft.norm(state.x, state.skip, "norm", last, config.norm_epsilon)
    draft.small["head:rows"] = np.array([-1, config.width])
    flat = draft.add("Reshape", [normed, "head:rows"], ["head:flat"])
    picked = draft.add("Gather", [flat, "wanted"], ["head:picked"])
    name = EMBEDDING if config.tied else HEAD
    if draft.precision != "float32":
        draft.product(picked, name, weights[name], "logits", bits=8)
    elif config.tied:
        draft.add("Gemm", [picked, draft.hold(name, weights[name])], ["logits"], transB=1)
    else:
        draft.product(picked, name, weights[name], "logits", bits=None)


def _signature(config: DecoderConfig) -> tuple[list[ValueInfoProto], list[ValueInfoProto]]:
    """Return the inputs and the outputs."""
    from onnx import TensorProto, helper

    def describe(name: str, kind: int, shape: list[int | str]) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    cache: list[int | str] = ["rows", config.key_value_heads, "buffer", config.head_width]
    names = [f"{number}.{part}" for number in range(config.layers) for part in ("key", "value")]
    inputs = [
        describe("ids", TensorProto.INT64, ["rows", "length"]),
        describe("last", TensorProto.INT32, ["rows"]),
        describe("total", TensorProto.INT32, []),
        describe("wanted", TensorProto.INT64, ["wanted"]),
        *(describe(f"past.{name}", TensorProto.FLOAT, cache) for name in names),
    ]
    outputs = [
        describe("logits", TensorProto.FLOAT, ["wanted", config.vocabulary]),
        *(describe(f"present.{name}", TensorProto.FLOAT, cache) for name in names),
    ]
    return inputs, outputs
