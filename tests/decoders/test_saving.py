"""Tests of a decoder written in the layout of Transformers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from headway.decoders.exporting import export_decoder
from headway.decoders.saving import layout_of, transformers_files
from headway.errors import ExportError
from tests.decoders.tiny import GPT2, stored, weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of


def files_of(config=CONFIG, **options):
    onnx = export_decoder(config, weights_of(config))
    return dict(transformers_files(onnx, tokenizer_of().to_str().encode(), facts_of(), **options))


def test_large_models_come_in_several_files_with_an_index(tmp_path):
    from safetensors.numpy import load
    from transformers import AutoModelForCausalLM

    files = files_of(shard=100_000)
    index = json.loads(files["model.safetensors.index.json"])
    names = sorted(set(index["weight_map"].values()))
    assert len(names) > 2
    assert "model.safetensors" not in files
    assert all(len(files[name]) < 110_000 for name in names)
    assert {weight: file for file in names for weight in load(files[file])} == index["weight_map"]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    network = AutoModelForCausalLM.from_pretrained(tmp_path)
    found = dict(network.named_parameters())
    for name, array in weights_of(CONFIG).items():
        np.testing.assert_array_equal(found[name].detach().numpy(), array)


def test_gpt2_has_the_names_and_turns_of_transformers():
    from safetensors.numpy import load

    found, expected = load(files_of(GPT2)["model.safetensors"]), stored(GPT2, weights_of(GPT2))
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_package_without_ends_names_none():
    onnx = export_decoder(CONFIG, weights_of(CONFIG))
    files = dict(transformers_files(onnx, tokenizer_of().to_str().encode(), facts_of(end_ids=(), chat=None)))
    assert json.loads(files["generation_config.json"]) == {
        "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
    }  # fmt: skip
    assert "eos_token" not in json.loads(files["tokenizer_config.json"])
    assert "chat_template.jinja" not in files


@pytest.mark.parametrize("change", [{"norm": "layer"}, {"feed": "gelu"}, {"positions": "learned"}, {"biases": "all"}])
def test_another_layout_is_refused_by_name(change):
    with pytest.raises(ExportError, match="layout that Transformers does not know") as caught:
        layout_of(replace(CONFIG, **change))
    assert next(iter(change.values())) in str(caught.value)
