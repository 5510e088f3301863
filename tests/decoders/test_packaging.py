"""Tests of the release gate of decoders."""

import numpy as np
import pytest

from headway.decoders.packaging import gate, package_decoder, perplexity
from headway.errors import ParityError
from headway.runtime import load_generator
from headway.runtime.manifest import Manifest
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of

TOKENIZER = tokenizer_of().to_str().encode()
WEIGHTS = weights_of(CONFIG)
TEXTS = [np.random.default_rng(0).integers(0, 256, 100).tolist() for _ in range(3)]


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
