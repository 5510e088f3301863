"""Eight-bit matrix products whose answer for a row depends on that row alone.

onnxruntime's dynamic quantisation scales all activations of a batch alike, so that a text's answer changes with its
neighbours and with padding. Here every row of activations has a scale of its own:

- x is divided by its row's step, rounded to uint8, multiplied as integers, and multiplied by the step again. The zero
  point is fixed for each product: in the middle, or near the low end where values are hardly ever negative (GELU).
- Weights are int8 with a scale for each column. Instructions before VNNI add two products in 16 bits, which saturate:
  the scale of a column makes no two neighbours exceed that, so that every machine gives the same sums.
- With static activations the step of all rows is fixed by sample rows instead, for the least squared error: fewer
  nodes, and more noise.
- A few columns of activations are much larger than the others in any text (Dettmers et al. 2022, LLM.int8()); they are
  scaled down and their weights up by the square root of what they exceed the usual by (Xiao et al. 2023, SmoothQuant,
  with alpha = 0.5 and only where it matters). They are found with sample texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, TensorProto

# What names this way of computing where results are kept: to be raised when answers change.
VERSION = "int8-1"
DOMAIN = "com.microsoft"
Activations = Literal["dynamic", "static"]
# Smaller products are not worth the nodes around them.
SMALLEST = 16_384
MIDDLE, LOW = 128, 16
# onnx.TensorProto.FLOAT, known before onnx is imported.
FLOAT = 1
# Where the least value is above this share of the largest (negated), the zero point is LOW.
_LOPSIDED = 0.25
_SMOOTHED_FROM = 1.2
# Shares of the largest step that are tried where one is fixed.
_SHARES = np.linspace(0.3, 1.0, 29)


@dataclass
class _Draft:
    """The parts of the new graph."""

    nodes: list[NodeProto] = field(default_factory=list)
    tensors: dict[str, TensorProto] = field(default_factory=dict)
    # The input of a product -> its prefix in the new graph, once it was quantised.
    done: dict[str, str] = field(default_factory=dict)

    def add(self, operator: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        """Append a node; return its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def hold(self, name: str, array: np.ndarray | np.generic) -> str:
        """Keep a constant; return its name."""
        from onnx.numpy_helper import from_array

        self.tensors.setdefault(name, from_array(np.asarray(array, order="C"), name))
        return name


@dataclass(frozen=True)
class _Rows:
    """How the rows that enter products become uint8.

    `zero`: the zero point. `factors`: what columns are divided by, None where they are alike. `step`: that of all rows,
    None where each has its own.
    """

    zero: int
    factors: np.ndarray | None
    step: np.float32 | None


@dataclass(frozen=True)
class _Product:
    """A product with constant weights `[in, out]`: `output = x @ weight + bias` (`bias` may be "")."""

    x: str
    name: str
    bias: str
    output: str
    weight: np.ndarray


def quantised(
    model: ModelProto, sample: Mapping[str, np.ndarray], *, activations: Activations = "dynamic"
) -> ModelProto:
    """Return a float32 model with its products by constants, and its table of words, in eight bits.

    `sample`: inputs of the model, real rows; used to find the columns that are large in any row and, where activations
    are "static", how large they become. Padding, where an input `...mask` tells of it, is left out.
    """
    from onnx.numpy_helper import to_array

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    wanted = {id(node): node for node in model.graph.node if _is_product(node, constants)}
    names = sorted({node.input[0] for node in wanted.values()})
    plans = {name: _plan(values, is_static=activations == "static") for name, values in _seen(model, names, sample)}
    draft = _Draft()
    for node in model.graph.node:
        if id(node) in wanted:
            _quantise(_product(node, to_array(constants[node.input[1]])), plans[node.input[0]], draft)
        elif node.op_type == "Gather" and _is_table(node, constants):
            _quantise_table(node, to_array(constants[node.input[0]]), draft)
        else:
            draft.nodes.append(node)
    return _rebuilt(model, draft)


def _is_product(node: NodeProto, constants: Mapping[str, TensorProto]) -> bool:
    if node.op_type not in {"MatMul", "Gemm"} or node.input[1] not in constants:
        return False
    weight = constants[node.input[1]]
    sizes = weight.dims
    plain = all(_is_plain(attribute) for attribute in node.attribute)
    return plain and weight.data_type == FLOAT and len(sizes) == 2 and sizes[0] * sizes[1] >= SMALLEST


def _is_plain(attribute: AttributeProto) -> bool:
    """Tell whether an attribute leaves a product as it is, or only turns its weights."""
    if attribute.name in {"alpha", "beta"}:
        return bool(attribute.f == 1.0)
    return attribute.name == "transB" or attribute.i == 0


def _is_table(node: NodeProto, constants: Mapping[str, TensorProto]) -> bool:
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    table = constants.get(node.input[0])
    return axis == 0 and table is not None and len(table.dims) == 2 and table.data_type == FLOAT


def _product(node: NodeProto, weight: np.ndarray) -> _Product:
    flipped = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    bias = node.input[2] if len(node.input) > 2 else ""
    return _Product(node.input[0], node.input[1], bias, node.output[0], weight.T if flipped else weight)


def _seen(model: ModelProto, names: list[str], sample: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the tensors `names` for the sample, float32 `[tokens, columns]` without padding."""
    import onnx

    from headway.runtime.session import open_session

    if not names:
        return
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    known = {output.name for output in probe.graph.output}
    probe.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names if name not in known
    )
    session = open_session(probe.SerializeToString(), threads=1)
    masks = [array.reshape(-1).astype(bool) for name, array in sample.items() if name.endswith("mask")]
    for name, values in zip(names, session.run(names, dict(sample)), strict=True):
        rows = values.reshape(-1, values.shape[-1])
        yield name, next((rows[present] for present in masks if len(rows) == len(present)), rows)


def _plan(values: np.ndarray, *, is_static: bool) -> _Rows:
    """Return how rows like `values`, `[tokens, columns]`, become uint8."""
    extremes = np.stack([values.min(0), values.max(0)])
    is_lopsided = extremes[0].min() > -_LOPSIDED * extremes[1].max()
    factors = None if is_lopsided else _smoothing(np.abs(extremes).max(0))
    zero = LOW if is_lopsided else MIDDLE
    step = _fixed_step(values if factors is None else values / factors, zero) if is_static else None
    return _Rows(zero, factors, step)


def _smoothing(largest: np.ndarray) -> np.ndarray | None:
    """Return what columns of activations are divided by, float32 `[columns]`; None where they are all alike."""
    usual = max(float(np.median(largest)), 1e-6)
    factors = np.sqrt(np.maximum(1.0, largest / usual)).astype(np.float32)
    return factors if factors.max() > _SMOOTHED_FROM else None


def _fixed_step(values: np.ndarray, zero: int) -> np.float32:
    """Return the step of all rows alike with the least squared error."""
    largest = max(float(values.max()) / (255 - zero), -float(values.min()) / zero, 1e-12)
    steps = (largest * _SHARES).astype(np.float32)

    def error(step: np.float32) -> float:
        rounded = np.clip(np.rint(values / step), -zero, 255 - zero) * step
        return float(np.square(rounded - values).sum())

    return np.float32(min(steps, key=error))


def _quantise(product: _Product, plan: _Rows, draft: _Draft) -> None:
    """Append the nodes of one product in eight bits."""
    if product.x not in draft.done:
        draft.done[product.x] = f"eight:{len(draft.done)}:"
        _quantise_rows(product.x, draft.done[product.x], plan, draft)
    rows = draft.done[product.x]
    factors = plan.factors
    weight, scale = quantise_weight(product.weight if factors is None else product.weight * factors[:, None])
    inputs = [
        rows + "values",
        draft.hold(product.name + ":int8", weight),
        draft.hold("eight:one", np.float32(1)) if plan.step is None else rows + "step",
        draft.hold(product.name + ":scale", scale),
        rows + "zero",
    ]
    if plan.step is not None:
        inputs += ["", product.bias] if product.bias else []
        draft.add("MatMulIntegerToFloat", inputs, product.output, domain=DOMAIN)
        return
    raw = draft.add("MatMulIntegerToFloat", inputs, product.output + ":raw", domain=DOMAIN)
    if not product.bias:
        draft.add("Mul", [raw, rows + "step"], product.output)
        return
    scaled = draft.add("Mul", [raw, rows + "step"], product.output + ":scaled")
    draft.add("Add", [scaled, product.bias], product.output)


def _quantise_rows(x: str, at: str, plan: _Rows, draft: _Draft) -> None:
    """Append nodes that turn float32 rows into uint8 `values` and a float32 `step` for each row, or for all alike."""
    if plan.factors is not None:
        x = draft.add("Mul", [x, draft.hold(at + "factors", 1 / plan.factors)], at + "smooth")
    zero_point = draft.hold(at + "zero", np.uint8(plan.zero))
    if plan.step is not None:
        draft.add("QuantizeLinear", [x, draft.hold(at + "step", plan.step), zero_point], at + "values")
        return
    axis = draft.hold("eight:axis", np.array([-1]))
    above = draft.add("ReduceMax", [x, axis], at + "largest", keepdims=1)
    below = draft.add("ReduceMin", [x, axis], at + "least", keepdims=1)
    above = draft.add("Mul", [above, draft.hold(at + "above", np.float32(1 / (255 - plan.zero)))], at + "step_above")
    below = draft.add("Mul", [below, draft.hold(at + "below", np.float32(-1 / plan.zero))], at + "step_below")
    step = draft.add("Max", [above, below, draft.hold("eight:tiny", np.float32(1e-12))], at + "step")
    whole = draft.add("Div", [x, step], at + "whole")
    draft.add("QuantizeLinear", [whole, draft.hold("eight:one", np.float32(1)), zero_point], at + "values")


def quantise_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 weights `[in, out]` and float32 scales `[out]`.

    255 (a - b) never leaves 16 bits for weights of one sign in neighbouring rows 2k and 2k + 1: their sum is at most
    128, one of which is left for rounding.
    """
    rows = weight if len(weight) % 2 == 0 else np.vstack([weight, np.zeros_like(weight[:1])])
    pairs = rows.reshape(-1, 2, rows.shape[1])
    positive, negative = np.maximum(pairs, 0).sum(1).max(0), np.maximum(-pairs, 0).sum(1).max(0)
    scale = (np.maximum(np.maximum(positive, negative), 1e-12) / 127).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


def _quantise_table(node: NodeProto, table: np.ndarray, draft: _Draft) -> None:
    """Append nodes that look words up in a table of int8 with a scale for each row."""
    from onnx import TensorProto

    scale = (np.maximum(np.abs(table).max(1, keepdims=True), 1e-12) / 127).astype(np.float32)
    name, ids, output = node.input[0], node.input[1], node.output[0]
    narrow = draft.hold(name + ":int8", np.rint(table / scale).astype(np.int8))
    words = draft.add("Gather", [narrow, ids], output + ":8")
    wide = draft.add("Cast", [words], output + ":wide", to=TensorProto.FLOAT)
    scales = draft.add("Gather", [draft.hold(name + ":scale", scale), ids], output + ":scale")
    draft.add("Mul", [wide, scales], output)


def _rebuilt(model: ModelProto, draft: _Draft) -> ModelProto:
    """Return the model with the nodes of the draft, and of all constants those that are used."""
    import onnx

    graph = onnx.helper.make_graph(draft.nodes, model.graph.name, model.graph.input, model.graph.output)
    used = {name for node in draft.nodes for name in node.input}
    graph.initializer.extend(_used(model.graph.initializer, used))
    graph.initializer.extend(_used(draft.tensors.values(), used))
    opsets = {opset.domain: opset.version for opset in model.opset_import} | {DOMAIN: 1}
    imports = [onnx.helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=model.ir_version)


def _used(tensors: Iterable[TensorProto], used: set[str]) -> Iterator[TensorProto]:
    return (tensor for tensor in tensors if tensor.name in used)
