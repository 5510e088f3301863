"""Fused operators of onnxruntime (domain com.microsoft) as spox nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import spox
from spox import Var

if TYPE_CHECKING:
    from onnx import ValueInfoProto

DOMAIN = "com.microsoft"
OPSET, IR = 21, 10


def fused(
    operator: str,
    inputs: Sequence[Var | None],
    shape: Sequence[int | str | None],
    kind: type[np.generic] = np.float32,
    **attributes: Any,  # numbers and strings, as the operator names them
) -> Var:
    """Return the first output of an operator; `shape` and `kind` are that of the output, None an input left out."""
    from onnx import helper

    names = ["" if value is None else f"input_{position}" for position, value in enumerate(inputs)]
    given = {name: value for name, value in zip(names, inputs, strict=True) if value is not None}
    node = helper.make_node(operator, names, ["output"], domain=DOMAIN, **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [_described(name, value) for name, value in given.items()],
        [helper.make_tensor_value_info("output", _code(kind), list(shape))],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR)
    return spox.inline(model)(**given)["output"]


def _described(name: str, value: Var) -> ValueInfoProto:
    from onnx import helper

    tensor = value.unwrap_tensor()
    return helper.make_tensor_value_info(
        name, _code(tensor.dtype), None if tensor.shape is None else list(tensor.shape)
    )


def _code(kind: object) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(kind)))  # type: ignore[call-overload]
