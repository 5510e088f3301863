"""Which n-grams a model knows, and the ONNX nodes that find them in a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import spox.opset.ai.onnx.ml.v4 as ml
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, Var, argument, build

from headway.modalities.text.characters import Texts
from headway.modalities.text.ngrams import character_ngrams, word_ngrams

Unit = Literal["characters", "words"]
_NODES: dict[Unit, Callable[[Var, int], Var]] = {"characters": character_ngrams, "words": word_ngrams}


@dataclass(frozen=True)
class Vocabulary:
    """The n-grams of one column that are worth knowing.

    `keys`: int64 `[size]` hashes, ascending; n-gram `keys[i]` has the id `i + 1`, and 0 is "none of them".
    `frequency`: in how many of the `documents` it occurs, int64 `[size]`. `order`: of how many units it is.
    """

    column: str
    unit: Unit
    longest: int
    keys: np.ndarray
    frequency: np.ndarray
    order: np.ndarray
    documents: int

    def __len__(self) -> int:
        """Return the number of n-grams."""
        return len(self.keys)

    def ids(self, codes: Var) -> Var:
        """Return int64 `[rows, most known]`: the different known n-grams of each text, then (or between) zeros."""
        return self.known(_NODES[self.unit](codes, self.longest))

    def known(self, hashes: Var) -> Var:
        """Return the ids of `ids` from the hashes of all n-grams, int64 `[rows, n]` with 0 for none."""
        if not len(self):
            return op.mul(hashes, op.const(np.int64(0)))
        values = np.arange(1, len(self) + 1, dtype=np.int64)
        found = ml.label_encoder(
            hashes, keys_tensor=self.keys, values_tensor=values, default_tensor=np.zeros(1, np.int64)
        )
        return _distinct(found)


def _distinct(found: Var) -> Var:
    """Return ids `[rows, n]` sorted downwards, repeated ones replaced by 0, cut to the fullest row."""
    one = op.const(np.array([1], np.int64))
    zero = op.const(np.array([0], np.int64))
    known = op.reduce_sum(op.cast(op.greater(found, zero), to=np.int64), one, keepdims=0)
    fullest = op.reduce_max(op.concat([known, one], axis=0), zero, keepdims=1)
    ordered, _ = op.top_k(found, fullest, axis=1)
    before = op.slice(op.pad(ordered, op.const(np.array([0, 1, 0, 0]))), zero, fullest, one)
    return op.where(op.equal(ordered, before), zero, ordered)


def learn(texts: Texts, unit: Unit, *, longest: int, least: int, most: int) -> Vocabulary:
    """Collect the n-grams of up to `longest` units that occur in at least `least` rows, the `most` frequent of them."""
    run = open_hashes(unit, longest)
    parts: list[list[np.ndarray]] = [[np.zeros(0, np.int64)] for _ in range(longest)]
    for _, codes in texts.batches:
        for pieces, windows in zip(parts, np.split(run(codes), longest, axis=1), strict=True):
            pieces.append(_once_a_row(windows))
    found = [_frequent(pieces, least) for pieces in parts]
    keys, frequency = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.repeat(np.arange(1, longest + 1), [len(known) for known, _ in found])
    chosen = np.argsort(-frequency, kind="stable")[:most]
    chosen = chosen[np.argsort(keys[chosen])]
    return Vocabulary(texts.column, unit, longest, keys[chosen], frequency[chosen], order[chosen], texts.rows)


def open_nodes(inputs: Mapping[str, Var], output: Var) -> Callable[..., np.ndarray]:
    """Return a function that computes `output` from arrays, in the order of `inputs`, with onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    model = build(dict(inputs), {"output": output}).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(*arrays: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, dict(zip(inputs, arrays, strict=True)))[0])

    return run


@cache
def open_hashes(unit: Unit, longest: int) -> Callable[..., np.ndarray]:
    """Return a function from code points to the hashes of all n-grams.

    It is made once: its hundred nodes take longer to build than a few hundred texts to read.
    """
    codes = argument(Tensor(np.int32, ("rows", None)))
    return open_nodes({"codes": codes}, _NODES[unit](codes, longest))


def _once_a_row(windows: np.ndarray) -> np.ndarray:
    """Return the hashes that occur, each once for each row it occurs in."""
    ordered = np.sort(windows, axis=1)
    is_new = ordered != 0
    is_new[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    return np.asarray(ordered[is_new])


def _frequent(pieces: list[np.ndarray], least: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes in at least `least` rows, and in how many each is."""
    known, frequency = np.unique(np.concatenate(pieces), return_counts=True)
    enough = frequency >= least
    return known[enough], frequency[enough]
