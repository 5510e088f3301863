"""Large arrays of a graph, kept away from the graph while it is built: spox would copy them at every step.

They stand as inputs while nodes are joined, and become initializers of the finished model. Their names are made of
their content, so that graphs with the same weights share them, and onnxruntime computes what they share once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from headway.runtime.weights import LARGE, can_lighten, lighten, weigh_down

if TYPE_CHECKING:
    import spox

PREFIX = "constant:"


class Constants:
    """The large arrays of one graph under construction."""

    def __init__(self) -> None:
        """Begin without any."""
        self.arrays: dict[str, np.ndarray] = {}
        self.arguments: dict[str, spox.Var] = {}

    def hold(self, array: np.ndarray) -> spox.Var:
        """Return a node that stands for `array`."""
        import spox.opset.ai.onnx.v21 as op

        if array.nbytes < LARGE or not can_lighten(array.dtype):
            return op.const(array)
        return self._argue(np.ascontiguousarray(array))

    def inline(self, model: bytes, inputs: Mapping[str, spox.Var]) -> Mapping[str, spox.Var]:
        """Return the outputs of a serialised model fed with its part of `inputs`; its large arrays are held here."""
        import onnx
        import spox

        light, arrays = lighten(model)
        graph = (parsed := onnx.load_model_from_string(light)).graph
        small = [tensor for tensor in graph.initializer if tensor.name not in arrays]
        del graph.initializer[:]
        graph.initializer.extend(small)
        own = {name: self._argue(array) for name, array in arrays.items()}
        given = {value.name: inputs[value.name] for value in graph.input if value.name not in own}
        named = {value.name for value in graph.input}
        for name, array in arrays.items():
            if name not in named:
                kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
                graph.input.append(onnx.helper.make_tensor_value_info(name, kind, array.shape))
        outputs: Mapping[str, spox.Var] = spox.inline(parsed)(**given, **own)
        return outputs

    def build(self, inputs: Mapping[str, spox.Var], outputs: Mapping[str, spox.Var]) -> bytes:
        """Return the serialised model with all arrays in it."""
        import spox

        model = spox.build({**inputs, **self.arguments}, dict(outputs))
        given = [value for value in model.graph.input if value.name not in self.arrays]
        del model.graph.input[:]
        model.graph.input.extend(given)
        return weigh_down(model.SerializeToString(), self.arrays)

    def _argue(self, array: np.ndarray) -> spox.Var:
        """Keep an array under a name made of its content; return the node that stands for it."""
        import spox

        name = PREFIX + _digest(array)
        if name not in self.arguments:
            self.arrays[name] = array
            self.arguments[name] = spox.argument(spox.Tensor(array.dtype.type, array.shape))
        return self.arguments[name]


def _digest(array: np.ndarray) -> str:
    """Return what is equal for arrays of the same type, shape and content alone."""
    digest = hashlib.sha256(array.data)  # which processors have instructions for
    digest.update(f"{array.dtype} {array.shape}".encode())
    return digest.hexdigest()[:32]
