"""A graph as a torch module, so that what is left of it can be trained: its weights are the graph's constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headway.compression.pruning.blueprint import Blueprint, attributes_of
from headway.errors import TrainingError

if TYPE_CHECKING:
    from onnx import NodeProto

# Probabilities below this are taken for it before the logarithm.
_SMALLEST = 1e-7
Operator = Callable[[list[Any], dict[str, Any]], Any]


class Executed(nn.Module):
    """`blueprint` run by torch: its inputs in order, to logits `[rows, labels]` or standardised values `[rows, 1]`.

    Tables that are looked up stay as they are; every other float32 constant that is large learns, and those beside
    them. Raises `TrainingError` for a graph with an operator that is not known here.
    """

    def __init__(self, blueprint: Blueprint, scale: tuple[float, float] = (0.0, 1.0)) -> None:
        """Take over the constants; `scale` is the mean and deviation of a regression's values."""
        super().__init__()
        unknown = sorted({node.op_type for node in blueprint.nodes} - set(_OPERATORS))
        if unknown:
            raise TrainingError(
                "the graph cannot be trained once it is cut", expected="operators known here", got=", ".join(unknown)
            )
        self.blueprint, self.scale = blueprint, scale
        self.steps = [(node, attributes_of(node)) for node in blueprint.nodes]
        tables = {node.input[0] for node in blueprint.nodes if node.op_type in {"Gather", "Slice"}}
        self.learning = {
            name: f"p{place}"
            for place, (name, array) in enumerate(blueprint.arrays.items())
            if array.dtype == np.float32 and array.size > 1 and name not in tables
        }
        for name, key in self.learning.items():
            self.register_parameter(key, nn.Parameter(torch.from_numpy(blueprint.arrays[name].copy())))
        self.fixed = {
            name: torch.from_numpy(np.array(array))
            for name, array in blueprint.arrays.items()
            if name not in self.learning
        }

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return logits or standardised values."""
        known: dict[str, Any] = {**self.fixed, "": None}
        known |= {name: getattr(self, key) for name, key in self.learning.items()}
        known |= dict(zip(self.blueprint.inputs, inputs, strict=True))
        for node, attributes in self.steps:
            known[node.output[0]] = _run(node, attributes, [known[name] for name in node.input])
        found: Tensor = known[self.blueprint.output]
        if self.blueprint.output == "values":
            return (found - self.scale[0]) / self.scale[1]
        return found.clamp_min(_SMALLEST).log()

    def learnt(self) -> dict[str, np.ndarray]:
        """Return the present weights by the names of the graph's constants."""
        return {name: getattr(self, key).detach().cpu().numpy().copy() for name, key in self.learning.items()}


def _run(node: NodeProto, attributes: dict[str, Any], inputs: list[Any]) -> Any:
    return _OPERATORS[node.op_type](inputs, attributes)


def _axes(inputs: list[Any], attributes: dict[str, Any]) -> list[int]:
    found = inputs[1].tolist() if len(inputs) > 1 and inputs[1] is not None else attributes.get("axes", [])
    return [int(axis) for axis in found]


def _reduce(how: Callable[..., Tensor]) -> Operator:
    def run(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
        axes = _axes(inputs, attributes) or list(range(inputs[0].dim()))
        return how(inputs[0], dim=axes, keepdim=bool(attributes.get("keepdims", 1)))

    return run


def _gemm(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    weight = inputs[1].T if attributes.get("transB", 0) else inputs[1]
    product: Tensor = inputs[0] @ weight
    return product if len(inputs) < 3 or inputs[2] is None else product + inputs[2]


def _layer_norm(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    size = inputs[0].shape[-1:]
    return functional.layer_norm(inputs[0], size, inputs[1], inputs[2], attributes.get("epsilon", 1e-5))


def _attention(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    """Return `[rows, length, width]`; the padding mask is 1 on tokens, int32 `[rows, length]`."""
    heads = int(attributes["num_heads"])
    rows, length, width = inputs[0].shape
    query, key, value = (x.reshape(rows, -1, heads, width // heads).transpose(1, 2) for x in inputs[:3])
    mask = inputs[4] if len(inputs) > 4 else None
    allowed = None if mask is None else mask.bool()[:, None, None, :]
    found = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    return found.transpose(1, 2).reshape(rows, length, width)


def _convolution(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    pads = [int(side) for side in attributes.get("pads", [0] * (2 * (inputs[0].dim() - 2)))]
    half = len(pads) // 2
    x, padding = inputs[0], pads[:half]
    if pads[:half] != pads[half:]:
        both = [side for axis in reversed(range(half)) for side in (pads[axis], pads[half + axis])]
        x, padding = functional.pad(x, both), [0] * half
    convolve = {1: functional.conv1d, 2: functional.conv2d}[half]
    bias = inputs[2] if len(inputs) > 2 else None
    return convolve(
        x,
        inputs[1],
        bias,
        stride=[int(step) for step in attributes.get("strides", [1] * half)],
        padding=padding,
        dilation=[int(step) for step in attributes.get("dilations", [1] * half)],
        groups=int(attributes.get("group", 1)),
    )


def _slice(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    del attributes
    starts, ends = inputs[1].tolist(), inputs[2].tolist()
    axes = inputs[3].tolist() if len(inputs) > 3 and inputs[3] is not None else list(range(len(starts)))
    found: Tensor = inputs[0]
    for start, end, axis in zip(starts, ends, axes, strict=True):
        found = found[(slice(None),) * (axis % found.dim()) + (slice(start, end),)]
    return found


def _reshape(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    del attributes
    x: Tensor = inputs[0]
    sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(inputs[1].tolist())]
    return x.reshape(sizes)


def _gather(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    axis, places = int(attributes.get("axis", 0)), inputs[1].long()
    found = torch.index_select(inputs[0], axis, places.reshape(-1))
    shape = inputs[0].shape
    return found.reshape(*shape[:axis], *places.shape, *shape[axis + 1 :])


def _squeeze(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    found: Tensor = inputs[0]
    axes = _axes(inputs, attributes)
    return found.squeeze(tuple(axes)) if axes else found.squeeze()


def _unsqueeze(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    found: Tensor = inputs[0]
    for axis in sorted(_axes(inputs, attributes)):
        found = found.unsqueeze(axis)
    return found


def _cast(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 11: torch.float64}
    return inputs[0].to(kinds[int(attributes["to"])])  # type: ignore[no-any-return]


def _normalise(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    return functional.normalize(inputs[0], p=float(attributes.get("p", 2)), dim=int(attributes.get("axis", -1)))


def _clip(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    del attributes
    low, high = (inputs[place] if len(inputs) > place else None for place in (1, 2))
    return torch.clamp(inputs[0], low, high)


def _pool(inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    del attributes
    return inputs[0].mean(dim=tuple(range(2, inputs[0].dim())), keepdim=True)  # type: ignore[no-any-return]


_OPERATORS: dict[str, Operator] = {
    "Add": lambda x, _: x[0] + x[1],
    "BiasGelu": lambda x, _: functional.gelu(x[0] + x[1]),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda x, a: torch.cat(x, dim=int(a.get("axis", 0))),
    "Conv": _convolution,
    "Div": lambda x, _: x[0] / x[1],
    "Exp": lambda x, _: x[0].exp(),
    "FastGelu": lambda x, _: functional.gelu(x[0] if len(x) < 2 else x[0] + x[1], approximate="tanh"),
    "Flatten": lambda x, _: x[0].flatten(1),
    "Gather": _gather,
    "Gelu": lambda x, _: functional.gelu(x[0]),
    "Gemm": _gemm,
    "GlobalAveragePool": _pool,
    "Identity": lambda x, _: x[0],
    "LayerNormalization": _layer_norm,
    "Log": lambda x, _: x[0].log(),
    "LpNormalization": _normalise,
    "MatMul": lambda x, _: x[0] @ x[1],
    "Max": lambda x, _: x[0] if len(x) < 2 else torch.maximum(x[0], x[1]),
    "Mul": lambda x, _: x[0] * x[1],
    "MultiHeadAttention": _attention,
    "Neg": lambda x, _: -x[0],
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": lambda x, _: torch.relu(x[0]),
    "Reshape": _reshape,
    "Shape": lambda x, _: torch.tensor(x[0].shape),
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
    "Slice": _slice,
    "Softmax": lambda x, a: torch.softmax(x[0], dim=int(a.get("axis", -1))),
    "Squeeze": _squeeze,
    "Sub": lambda x, _: x[0] - x[1],
    "Sum": lambda x, _: sum(x),
    "Tanh": lambda x, _: torch.tanh(x[0]),
    "Transpose": lambda x, a: x[0].permute(*a["perm"]),
    "Unsqueeze": _unsqueeze,
}
