"""Tests of GGUF files, read again with the reader for base models."""

import numpy as np
import pytest

from headway.bases.unpacking.gguf import _dequantise, read_gguf, write_config
from headway.decoders.chat import take_apart
from headway.decoders.exporting import export_decoder
from headway.decoders.packing import Packed, unpack
from headway.decoders.recovering import recover
from headway.errors import ExportError
from headway.export import export
from headway.package.writing import write_generator
from headway.runtime.manifest import Manifest
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CHAT, CONFIG, facts_of, tokenizer_of, write_tiny
from tests.serving.packages import write_tiny as write_numbers


@pytest.mark.parametrize("precision", ["float32", "int8", "mixed", "int4"])
def test_the_file_holds_the_weights_of_the_package(tmp_path, precision):
    onnx = export_decoder(CONFIG, weights_of(CONFIG), precision=precision)
    manifest = Manifest("Tiny one", "generate", "", (), (), generation=facts_of(precision=precision))
    package = write_generator(tmp_path / "package", onnx, tokenizer_of().to_str().encode(), manifest, card="")
    folder = export(package, "gguf", out=tmp_path / "out").folder
    reader = read_gguf(folder / "tiny-one.gguf")
    facts = {name: field.contents() for name, field in reader.fields.items()}
    config = write_config(facts, "llama", {tensor.name for tensor in reader.tensors})
    assert config["max_position_embeddings"] == CONFIG.window
    assert config["num_key_value_heads"] == CONFIG.key_value_heads
    assert config["rope_parameters"]["rope_theta"] == CONFIG.rope_theta
    found = dict(_dequantise(reader, config, folder))
    _, expected = recover(onnx)
    assert set(found) == set(expected)
    for name, weight in expected.items():
        plain = unpack(weight) if isinstance(weight, Packed) else weight
        np.testing.assert_allclose(found[name], plain, atol=2e-3 * np.abs(plain).max())
    assert facts["tokenizer.ggml.eos_token_id"] == 256
    assert facts["tokenizer.ggml.pre"] == "gpt-2"
    assert len(facts["tokenizer.ggml.tokens"]) == CONFIG.vocabulary
    # The template that it writes says the same as the package.
    assert take_apart(facts["tokenizer.chat_template"], {}) == CHAT
    assert "tiny-one.gguf" in (folder / "README.zh.md").read_text("utf-8")


def test_only_text_becomes_gguf_and_text_nothing_else(tmp_path):
    with pytest.raises(ExportError, match="only packages that write text go to gguf"):
        export(write_numbers(tmp_path / "numbers"), "gguf", out=tmp_path / "a")
    with pytest.raises(ExportError, match="--to gguf or transformers"):
        export(write_tiny(tmp_path / "text"), "onnx", out=tmp_path / "b")
