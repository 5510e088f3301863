"""Weights in blocks of few bits, as onnxruntime's MatMulNBits and GatherBlockQuantized read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Bits = Literal[4, 8]
# Weights along the input that share a scale and a zero point.
BLOCK = 32
# Grids that are tried for a block of four bits, as shares of its range: a narrower grid fits the many better.
_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8)


@dataclass(frozen=True)
class Packed:
    """A weight `[out, in]` in blocks.

    `values`: uint8 `[out, blocks, BLOCK * bits / 8]`, low halves first where two share a byte; `scales`: float32
    `[out, blocks]`; `zeros`: uint8, the whole number that stands for zero in each block, packed like the values
    (`[out, ceil(blocks * bits / 8)]`), None where it is the middle.
    """

    values: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray | None
    bits: Bits
    shape: tuple[int, int]


def pack(weight: np.ndarray, bits: Bits) -> Packed:
    """Return a float32 weight `[out, in]` in blocks of `BLOCK` along the input, which is filled up with zeros."""
    rows, columns = weight.shape
    filled = np.pad(weight, ((0, 0), (0, -columns % BLOCK)))
    blocks = filled.reshape(rows, -1, BLOCK)
    values, scales, zeros = _eight(blocks) if bits == 8 else _four(blocks)
    if bits == 4:
        values = values[..., 0::2] | values[..., 1::2] << 4
        zeros = _pair(zeros) if zeros is not None else None
    return Packed(values, scales, zeros, bits, (rows, columns))


def unpack(packed: Packed) -> np.ndarray:
    """Return the float32 weight `[out, in]` that blocks stand for."""
    values, zeros = packed.values, packed.zeros
    if packed.bits == 4:
        values = np.stack([values & 15, values >> 4], axis=-1).reshape(*values.shape[:2], -1)
        zeros = None if zeros is None else np.stack([zeros & 15, zeros >> 4], axis=-1).reshape(len(zeros), -1)
    middle: np.ndarray = np.full(packed.scales.shape, 1 << packed.bits - 1) if zeros is None else zeros
    middle = middle[:, : packed.scales.shape[1]].astype(np.float32)
    blocks = (values.astype(np.float32) - middle[..., None]) * packed.scales[..., None]
    return np.asarray(blocks.reshape(len(values), -1)[:, : packed.shape[1]])


def _eight(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
    """Return values around 128 and the scales: each block reaches from -127 to 127 steps."""
    scales = (np.maximum(np.abs(blocks).max(-1), 1e-12) / 127).astype(np.float32)
    values = np.rint(blocks / scales[..., None]) + 128
    return values.astype(np.uint8), scales, None


def _four(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, scales and zeros of 16 steps, of several grids for each block the one with the least error."""
    low, high = np.minimum(blocks.min(-1), 0), np.maximum(blocks.max(-1), 0)
    best = np.full(low.shape, np.inf, np.float32)
    values = np.zeros(blocks.shape, np.uint8)
    scales, zeros = np.ones(low.shape, np.float32), np.zeros(low.shape, np.uint8)
    for share in _SHARES:
        step = (np.maximum(high - low, 1e-12) * np.float32(share / 15)).astype(np.float32)
        zero = np.clip(np.rint(-low * share / step), 0, 15).astype(np.float32)
        tried = np.clip(np.rint(blocks / step[..., None]) + zero[..., None], 0, 15)
        step = _refitted(blocks, tried - zero[..., None], step)
        error = np.square((tried - zero[..., None]) * step[..., None] - blocks).sum(-1)
        better = error < best
        best = np.where(better, error, best)
        values = np.where(better[..., None], tried.astype(np.uint8), values)
        scales, zeros = np.where(better, step, scales), np.where(better, zero.astype(np.uint8), zeros)
    return values, scales, zeros


def _refitted(blocks: np.ndarray, steps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the scale of each block that fits its whole numbers best, by least squares."""
    squares = np.square(steps).sum(-1)
    fitted = (blocks * steps).sum(-1) / np.maximum(squares, 1)
    return np.where((squares > 0) & (fitted > 0), fitted, scale).astype(np.float32)


def _pair(zeros: np.ndarray) -> np.ndarray:
    """Return four-bit numbers `[out, blocks]` as two in a byte."""
    even = np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))
    return np.asarray(even[:, 0::2] | even[:, 1::2] << 4, dtype=np.uint8)
