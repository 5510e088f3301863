"""From raw outputs to probabilities or values, in numpy and as nodes."""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.models.targets import TargetScale


def answer(outputs: np.ndarray, target: TargetScale | None) -> np.ndarray:
    """Return float32 probabilities from logits `[n, k]` (one column: log odds of the second class), or values `[n]`."""
    if target is not None:
        return target.inverse(outputs[:, 0]).astype(np.float32)
    if outputs.shape[1] == 1:
        second = 1.0 / (1.0 + np.exp(-np.clip(outputs, -60, 60)))
        return np.concatenate([1.0 - second, second], axis=1).astype(np.float32)
    exponents = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float32)


def last_axis(outputs: Var) -> int | str | None:
    """Return the length of the last axis of a node's output."""
    shape = outputs.unwrap_tensor().shape
    return shape[-1] if shape else None


def link(outputs: Var, target: TargetScale | None) -> dict[str, Var]:
    """Return the same as `answer` as a graph's named output, from float32 `[rows, k]`."""
    if target is not None:
        return {"values": target.nodes(outputs)}
    if last_axis(outputs) != 1:
        return {"probabilities": op.softmax(outputs, axis=1)}
    return {"probabilities": op.concat([op.sigmoid(op.neg(outputs)), op.sigmoid(outputs)], axis=1)}
