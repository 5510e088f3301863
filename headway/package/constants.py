"""Large arrays of a graph, kept away from the graph while it is built: spox would copy them at every step.

They stand as inputs while nodes are joined, and become initializers of the finished model. Their names are made of
their content, so that graphs with the same weights share them, and onnxruntime computes what they share once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx
    import spox

PREFIX = "constant:"
# Bytes from which on an array is worth keeping apart.
LARGE = 65_536


class Constants:
    """The large arrays of one graph under construction."""

    def __init__(self) -> None:
        """Begin without any."""
        self.tensors: dict[str, onnx.TensorProto] = {}
        self.arguments: dict[str, spox.Var] = {}

    def hold(self, array: np.ndarray) -> spox.Var:
        """Return a node that stands for `array`."""
        import spox.opset.ai.onnx.v21 as op

        if array.nbytes < LARGE:
            return op.const(array)
        from onnx.numpy_helper import from_array

        array = np.ascontiguousarray(array)
        digest = hashlib.blake2b(array.data, digest_size=16, person=str(array.dtype).encode()[:16])
        digest.update(str(array.shape).encode())
        name = PREFIX + digest.hexdigest()
        if name not in self.arguments:
            self._argue(name, from_array(array, name))
        return self.arguments[name]

    def inline(self, model: onnx.ModelProto, inputs: Mapping[str, spox.Var]) -> Mapping[str, spox.Var]:
        """Return the outputs of `model` fed with its part of `inputs`; its large initializers move here.

        `model` is left without them.
        """
        import spox

        own = self._take(model)
        arguments = {value.name: inputs[value.name] for value in model.graph.input if value.name not in own}
        outputs: Mapping[str, spox.Var] = spox.inline(model)(**arguments, **own)
        return outputs

    def build(self, inputs: Mapping[str, spox.Var], outputs: Mapping[str, spox.Var]) -> bytes:
        """Return the serialised model with all arrays in it."""
        import spox

        model = spox.build({**inputs, **self.arguments}, dict(outputs))
        given = [value for value in model.graph.input if value.name not in self.tensors]
        del model.graph.input[:]
        model.graph.input.extend(given)
        model.graph.initializer.extend(self.tensors.values())
        content: bytes = model.SerializeToString()
        return content

    def _take(self, model: onnx.ModelProto) -> dict[str, spox.Var]:
        """Turn the large initializers of a model into inputs; return what feeds them."""
        import onnx

        kept, taken = [], {}
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) < LARGE:
                kept.append(tensor)
                continue
            name = tensor.name if tensor.name.startswith(PREFIX) else f"{PREFIX}{len(self.tensors)}:{tensor.name}"
            if name in self.tensors and self.tensors[name].raw_data != tensor.raw_data:
                name = f"{name}:{len(self.tensors)}"
            value = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            model.graph.input.append(value)
            taken[tensor.name] = self._argue(name, _renamed(tensor, name))
        small = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
        del model.graph.initializer[:]
        model.graph.initializer.extend(small)
        return taken

    def _argue(self, name: str, tensor: onnx.TensorProto) -> spox.Var:
        """Keep a tensor; return the node that stands for it."""
        import onnx
        import spox

        if name not in self.arguments:
            self.tensors[name] = tensor
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            self.arguments[name] = spox.argument(spox.Tensor(kind, tuple(tensor.dims)))
        return self.arguments[name]


def _renamed(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    import onnx

    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
