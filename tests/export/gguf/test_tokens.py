"""Tests of tokenizers in GGUF files."""

import json
from dataclasses import replace

import pytest

from headway.bases.unpacking.gguf import read_gguf
from headway.decoders.exporting import export_decoder
from headway.errors import ExportError
from headway.export import export
from headway.models.gpt.tokenizing import make_words
from headway.package.writing import write_generator
from headway.runtime.manifest import Manifest
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of

VERSE = "春眠不觉晓， 处处闻啼鸟。\n"


def export_with(folder, spec, **facts):
    config = replace(CONFIG, vocabulary=max(CONFIG.vocabulary, len(spec["model"]["vocab"]) + 2))
    onnx = export_decoder(config, weights_of(config))
    manifest = Manifest("tiny", "generate", "", (), (), generation=facts_of(chat=None, **facts))
    package = write_generator(folder / "package", onnx, json.dumps(spec).encode(), manifest, card="")
    return read_gguf(export(package, "gguf", out=folder / "out").folder / "tiny.gguf")


def characters_of(text):
    """Return a tokenizer of the characters of a text, and the number of each."""
    spec = json.loads(make_words([text] * 9, "characters").tokenizer.to_str())
    return spec, spec["model"]["vocab"]


# That llama.cpp then finds the same tokens, and the same chances, `python -m benchmarks gguf` shows.
def test_single_characters_become_a_vocabulary_of_sentence_pieces(tmp_path):
    spec, numbers = characters_of(VERSE)
    reader = export_with(tmp_path, spec, end_ids=(0,), begin_id=0)
    facts = {name.removeprefix("tokenizer.ggml."): field.contents() for name, field in reader.fields.items()}
    assert facts["model"] == "llama"
    assert {facts[f"{name}_token_id"] for name in ("eos", "bos", "unknown")} == {0}
    assert (facts["add_bos_token"], facts["add_space_prefix"]) == (True, False)
    tokens, kinds = facts["tokens"], facts["token_type"]
    assert (tokens[numbers[" "]], tokens[numbers["春"]], tokens[numbers["\n"]]) == ("\u2581", "春", "\n")
    assert {kinds[numbers[f"<0x{byte:02X}>"]] for byte in range(256)} == {6}
    assert (kinds[0], kinds[numbers["春"]]) == (3, 1)
    assert len(tokens) == len(kinds) == len(facts["scores"]) == len(numbers) + 2


def test_a_vocabulary_without_a_blank_finds_it_where_its_byte_was(tmp_path):
    spec, numbers = characters_of(VERSE.replace(" ", ""))
    assert " " not in numbers
    reader = export_with(tmp_path, spec, end_ids=(0,), begin_id=0)
    tokens, kinds = (reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type"))
    assert (tokens[numbers["<0x20>"]], kinds[numbers["<0x20>"]]) == ("\u2581", 1)
    assert (tokens[numbers["<0x21>"]], kinds[numbers["<0x21>"]]) == ("<0x21>", 6)


@pytest.mark.parametrize("letter", ["\u2581", "\0"])
def test_letters_that_llama_cpp_keeps_for_itself_are_refused(tmp_path, letter):
    spec, _ = characters_of(letter)
    with pytest.raises(ExportError, match="does not know this tokenizer") as caught:
        export_with(tmp_path, spec, end_ids=(0,))
    assert "--to transformers" in caught.value.problems[0].fix


def test_a_split_that_llama_cpp_does_not_know_is_refused_with_the_next_step(tmp_path):
    spec = json.loads(tokenizer_of().to_str())
    spec["pre_tokenizer"] = {"type": "Whitespace"}
    with pytest.raises(ExportError, match="does not know this tokenizer") as caught:
        export_with(tmp_path, spec)
    assert caught.value.problems[0].fix.startswith("export it --to transformers")
