"""Tests of the release gate of decoders."""

import numpy as np
import pytest

from headway.decoders.packaging import Held, gate, package_decoder, perplexity
from headway.errors import ParityError
from headway.runtime import load_generator
from headway.runtime.manifest import Manifest
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of

TOKENIZER = tokenizer_of().to_str().encode()
WEIGHTS = weights_of(CONFIG)
TEXTS = [Held(np.random.default_rng(number).integers(0, 256, 100).tolist()) for number in range(3)]


def test_the_package_says_what_few_bits_cost(tmp_path):
    manifest = Manifest("tiny", "generate", "", (), (), metrics={"bits_per_character": 2.0}, measured={"rows": 1.0})
    folder = package_decoder(
        tmp_path / "package", CONFIG, WEIGHTS, TOKENIZER, facts_of(), manifest=manifest, card="# tiny", texts=TEXTS,
        tolerance=0.5,
    )  # fmt: skip
    opened = load_generator(folder)
    assert opened.manifest.generation.precision == "int4"
    measured = opened.manifest.measured
    assert measured["perplexity"] == pytest.approx(perplexity(opened, TEXTS), rel=1e-3)
    change = measured["perplexity"] / measured["perplexity_float32"] - 1
    assert measured["perplexity_change"] == pytest.approx(change)
    assert measured["size_mb"] < measured["size_mb_float32"]
    assert measured["rows"] == 1.0
    assert opened.manifest.metrics == {"bits_per_character": 2.0}


def test_bits_are_added_until_the_perplexity_is_kept():
    gated = gate(CONFIG, WEIGHTS, TOKENIZER, facts_of(), texts=TEXTS, tolerance=-1.0)
    assert gated.proof.precision == "float32"
    assert gated.proof is gated.whole
    with pytest.raises(ParityError, match=r"(?s)in int8.*in float32"):
        gate(CONFIG, WEIGHTS, TOKENIZER, facts_of(), texts=TEXTS, precision="int8", tolerance=-0.9)


def test_without_text_the_model_writes_its_own():
    gated = gate(CONFIG, WEIGHTS, TOKENIZER, facts_of(), precision="int8", tolerance=1.0)
    # It knows its own texts well: far better than chance over 259 tokens.
    assert gated.whole.perplexity < 150
    assert gated.proof.perplexity == pytest.approx(gated.whole.perplexity, rel=0.2)


def test_what_is_given_is_read_and_not_judged(tmp_path):
    folder = package_decoder(
        tmp_path / "package", CONFIG, WEIGHTS, TOKENIZER, facts_of(), manifest=Manifest("tiny", "generate", "", (), ()),
        card="# tiny", texts=TEXTS, precision="float32",
    )  # fmt: skip
    generator, ids = load_generator(folder), TEXTS[0].ids
    assert perplexity(generator, [Held(ids, 60)]) == pytest.approx(np.exp(-generator.logprobs(ids)[59:].mean()))
    # Of a text longer than the window of 120 tokens, what stands before the second window is not seen.
    long = [*ids, *TEXTS[1].ids]
    assert perplexity(generator, [Held(long, 150)]) == pytest.approx(
        np.exp(-generator.logprobs(long[120:])[29:].mean())
    )
