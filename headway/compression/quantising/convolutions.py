"""Convolutions in eight bits with fixed steps, calibrated by rows, by onnxruntime's own quantiser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.compute.quiet import without_advice

if TYPE_CHECKING:
    from onnx import ModelProto

# Rows of one calibration step.
_STEP = 32


def with_static_convolutions(model: ModelProto, sample: Mapping[str, np.ndarray]) -> ModelProto:
    """Return the model with convolutions and products in eight bits; `sample` (inputs of real rows) fixes their steps.

    Weights have a scale for each channel and seven bits, since instructions before VNNI saturate sums of eight.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    # onnxruntime advises to prepare graphs first, which these do not need.
    with tempfile.TemporaryDirectory(prefix="headway-") as scratch, without_advice():
        source, target = Path(scratch) / "source.onnx", Path(scratch) / "target.onnx"
        onnx.save(model, source)
        quantize_static(
            str(source),
            str(target),
            _Rows(sample),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)


class _Rows:
    """Sample rows, a few at a time, as onnxruntime's calibration asks for them."""

    def __init__(self, sample: Mapping[str, np.ndarray]) -> None:
        """Begin with the first rows."""
        self.steps = self._divided(sample)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next rows, None after the last."""
        return next(self.steps, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Leave the order to us; onnxruntime offers to divide rows among steps itself."""

    @staticmethod
    def _divided(sample: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        rows = min((len(array) for array in sample.values()), default=0)
        for start in range(0, rows, _STEP):
            yield {name: array[start : start + _STEP] for name, array in sample.items()}
