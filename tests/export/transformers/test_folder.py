"""Tests of folders for Transformers: opened by Transformers itself, and read again by Headway."""

import json
from dataclasses import replace

import numpy as np
import pytest

from headway.bases.folders import describe_folder
from headway.decoders.basing import generation_of
from headway.decoders.exporting import export_decoder
from headway.decoders.packing import Packed, unpack
from headway.decoders.reading import read_decoder
from headway.decoders.recovering import recover
from headway.errors import ExportError
from headway.export import export
from headway.package.writing import write_generator
from headway.runtime.generation import Message, load_generator
from headway.runtime.generation.generator import assemble_generator
from headway.runtime.generation.sampling import log_softmax
from headway.runtime.manifest import Manifest
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CHAT, CONFIG, facts_of, tokenizer_of
from tests.serving.packages import write_tiny as write_numbers

GPT2 = replace(CONFIG, key_value_heads=4, norm="layer", positions="learned", feed="gelu_tanh", biases="all")
LAYOUTS = {"llama": CONFIG, "untied": replace(CONFIG, tied=False), "qwen2": replace(CONFIG, biases="qkv"), "gpt2": GPT2,
           "gpt2_exact_gelu": replace(GPT2, feed="gelu")}  # fmt: skip

# What the rounding of products moves log probabilities by, on average, in networks with random weights.
ROUNDING = 0.15


def write_package(folder, config=CONFIG, *, precision="float32", **facts):
    onnx = export_decoder(config, weights_of(config), precision=precision)
    manifest = Manifest("Tiny one", "generate", "", (), (), generation=facts_of(precision=precision, **facts))
    return write_generator(folder / "package", onnx, tokenizer_of().to_str().encode(), manifest, card="")


def open_network(folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()


def logprobs(network, ids):
    import torch

    with torch.inference_mode():
        logits = network(torch.tensor([ids])).logits[0].numpy()
    return log_softmax(logits.astype(np.float64))[np.arange(len(ids) - 1), ids[1:]]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("precision", ["float32", "int8", "int4"])
def test_transformers_gives_the_logits_of_the_package(tmp_path, layout, precision):
    package = write_package(tmp_path, LAYOUTS[layout], precision=precision)
    network = open_network(export(package, "transformers", out=tmp_path / "out").folder)
    generator = load_generator(package, threads=1, slots=1)
    ids = generator.ids_of("The sea, 大海.")
    found, expected = logprobs(network, ids), generator.logprobs(ids)
    if precision == "float32":
        np.testing.assert_allclose(found, expected, atol=2e-4)
        return
    # Products of packed weights round what they are given; so the same weights as floating numbers are asked, too.
    config, weights = recover((package / "model.onnx").read_bytes())
    whole = {name: unpack(weight) if isinstance(weight, Packed) else weight for name, weight in weights.items()}
    plain = assemble_generator(generator.manifest, {
        "model.onnx": export_decoder(config, whole), "tokenizer.json": tokenizer_of().to_str().encode(),
    }, threads=1, slots=1)  # fmt: skip
    np.testing.assert_allclose(found, plain.logprobs(ids), atol=2e-4)
    assert np.abs(found - expected).mean() < ROUNDING


def test_the_tokenizer_and_the_conversations_are_those_of_the_package(tmp_path):
    from transformers import AutoTokenizer

    package = write_package(tmp_path, end_ids=(256, 258))
    folder = export(package, "transformers", out=tmp_path / "out").folder
    tokenizer, generator = AutoTokenizer.from_pretrained(folder), load_generator(package, threads=1, slots=1)
    assert tokenizer("床前 moon🌕").input_ids == generator.ids_of("床前 moon🌕")
    said = [("user", "Hello"), ("assistant", "Yes?"), ("user", "你好")]
    plain = [{"role": role, "content": words} for role, words in said]
    told = tokenizer.apply_chat_template(plain, add_generation_prompt=True, return_dict=True)
    assert told["input_ids"] == generator.ids_of([Message(role, words) for role, words in said])
    # The end of a turn comes first, and the other one is kept.
    assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"] == [258, 256]
    assert tokenizer.eos_token == "<|close|>"


def test_the_two_write_the_same_text(tmp_path):
    package = write_package(tmp_path)
    folder = export(package, "transformers", out=tmp_path / "out").folder
    network, generator = open_network(folder), load_generator(package, threads=1, slots=1)
    import torch

    ids = generator.ids_of("ab")
    found = network.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)[0, len(ids) :].tolist()
    written = generator.generate(["ab"], max_tokens=12, temperature=0)[0]
    assert generator.prompts.tokenizer.decode(found) == written.text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_folder_becomes_the_same_package_again(tmp_path, layout):
    package = write_package(tmp_path, LAYOUTS[layout], precision="int8")
    folder = export(package, "transformers", out=tmp_path / "out").folder
    base = describe_folder(folder, name="tiny", source="here")
    config, weights = read_decoder(base)
    _, packed = recover((package / "model.onnx").read_bytes())
    assert replace(config, rope_theta=CONFIG.rope_theta) == LAYOUTS[layout]  # GPT-2 has none
    for name, weight in packed.items():
        np.testing.assert_array_equal(weights[name], weight if isinstance(weight, np.ndarray) else unpack(weight))
    assert generation_of(base, (folder / "tokenizer.json").read_bytes(), window=config.window) == facts_of(
        end_ids=(256, 258)
    )
    assert generation_of(base, (folder / "tokenizer.json").read_bytes(), window=config.window).chat == CHAT


def test_only_text_goes_to_transformers(tmp_path):
    with pytest.raises(ExportError, match="only packages that write text go to transformers"):
        export(write_numbers(tmp_path / "numbers"), "transformers", out=tmp_path / "a")


def test_the_notes_show_the_call(tmp_path):
    folder = export(write_package(tmp_path, precision="int4", chat=None), "transformers", out=tmp_path / "out").folder
    assert "AutoModelForCausalLM" in (folder / "README.md").read_text("utf-8")
    assert "int4" in (folder / "README.zh.md").read_text("utf-8")
    assert not (folder / "chat_template.jinja").exists()
