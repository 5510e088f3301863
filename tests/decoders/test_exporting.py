"""Tests of the ONNX form of decoders, beside Transformers' own."""

import dataclasses

import numpy as np
import pytest

from headway.decoders.exporting import export_decoder
from headway.decoders.packing import pack, unpack
from headway.decoders.stack import NORM
from headway.runtime.session import open_session
from tests.decoders.tiny import CONFIG, GPT2, QWEN2, bits_of, teacher, teacher_logits, weights_of

BUFFER = 64


class Cached:
    """An exported decoder with its cache as plain arrays."""

    def __init__(self, model: bytes, rows: int, config=CONFIG) -> None:
        self.session = open_session(model, threads=1)
        shape = (rows, config.key_value_heads, BUFFER, config.head_width)
        names = [f"{number}.{part}" for number in range(config.layers) for part in ("key", "value")]
        self.cache = {f"past.{name}": np.zeros(shape, np.float32) for name in names}

    def feed(self, ids: list[list[int]], *, before: list[int]) -> np.ndarray:
        """Return the logits of every place `[rows, length, vocabulary]` and keep the cache."""
        longest = max(map(len, ids))
        padded = np.array([row + [0] * (longest - len(row)) for row in ids])
        totals = [start + len(row) for start, row in zip(before, ids, strict=True)]
        logits, *present = self.session.run(
            None,
            {
                "ids": padded,
                "last": np.array(totals, np.int32) - 1,
                "total": np.array(max(totals), np.int32),
                "wanted": np.arange(padded.size),
                **self.cache,
            },
        )
        self.cache = dict(zip(self.cache, present, strict=True))
        return logits.reshape(*padded.shape, -1)


OTHERS = [
    dataclasses.replace(CONFIG, tied=False, key_value_heads=6), QWEN2, GPT2, dataclasses.replace(GPT2, feed="gelu"),
]  # fmt: skip


@pytest.mark.parametrize("config", [CONFIG, *OTHERS])
def test_rows_of_different_length_have_the_logits_of_transformers(config):
    weights = weights_of(config)
    network = teacher(config, weights)
    generator = np.random.default_rng(1)
    rows = [generator.integers(0, config.vocabulary, size).tolist() for size in (9, 3, 14)]
    cached = Cached(export_decoder(config, weights), 3, config)
    found = cached.feed(rows, before=[0, 0, 0])
    for row, logits in zip(rows, found, strict=True):
        np.testing.assert_allclose(logits[: len(row)], teacher_logits(network, row), atol=1e-4)
    # Two more tokens each, on caches of different length.
    lengths = [len(row) for row in rows]
    for step in range(2):
        more = generator.integers(0, config.vocabulary, 3).tolist()
        found = cached.feed([[token] for token in more], before=[length + step for length in lengths])
        rows = [[*row, token] for row, token in zip(rows, more, strict=True)]
        for row, logits in zip(rows, found, strict=True):
            np.testing.assert_allclose(logits[0], teacher_logits(network, row)[-1], atol=1e-4)


@pytest.mark.parametrize("config", [CONFIG, GPT2])
def test_a_long_prompt_may_come_in_pieces(config):
    weights = weights_of(config)
    ids = np.random.default_rng(2).integers(0, config.vocabulary, 40).tolist()
    cached = Cached(export_decoder(config, weights), 1, config)
    pieces = [
        cached.feed([ids[start : start + 16]], before=[start])[0, : len(ids[start : start + 16])]
        for start in range(0, 40, 16)
    ]
    np.testing.assert_allclose(np.concatenate(pieces), teacher_logits(teacher(config, weights), ids), atol=1e-4)


@pytest.mark.parametrize("precision", ["int8", "mixed", "int4"])
def test_few_bits_answer_as_transformers_with_the_rounded_weights(precision):
    config = dataclasses.replace(CONFIG, hidden=112)
    weights = weights_of(config)
    rounded = {
        name: array if array.ndim == 1 else unpack(pack(array, bits_of(name, precision)))
        for name, array in weights.items()
    }
    ids = np.random.default_rng(3).integers(0, config.vocabulary, 12).tolist()
    found = Cached(export_decoder(config, weights, precision=precision), 1, config).feed([ids], before=[0])[0]
    expected = teacher_logits(teacher(config, rounded), ids)
    # Activations are rounded to eight bits as well.
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) > 0.9


def test_few_bits_are_small():
    config = dataclasses.replace(CONFIG, width=192, hidden=512, vocabulary=300)
    whole, eight, mixed, four = (len(export_decoder(config, weights_of(config), precision=p)) for p in
                                 ("float32", "int8", "mixed", "int4"))  # fmt: skip
    assert eight < 0.32 * whole
    assert four < mixed < eight
    assert four < 0.21 * whole


def test_weights_that_do_not_fit_are_refused():
    from headway.errors import BaseModelError

    with pytest.raises(BaseModelError, match=NORM):
        export_decoder(CONFIG, weights_of() | {NORM: np.zeros(3, np.float32)})
