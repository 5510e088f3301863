"""Tests of GPT-2's layout, read from a folder as Transformers writes it."""

import json

import numpy as np
import pytest

from headway.bases.base import Base
from headway.decoders.gpt2 import gpt2_config, rename_gpt2
from headway.decoders.reading import read_decoder, to_config
from headway.errors import BaseModelError
from tests.decoders.tiny import GPT2, QWEN2, gpt2_settings, stored, weights_of, write_folder


def base_of(folder):
    return Base("tiny", folder, "decoder", "gpt2", 1, 1.0, ("en",), "mit", "", "a local folder")


@pytest.mark.parametrize("config", [GPT2, QWEN2])
def test_a_folder_comes_back_as_it_was(tmp_path, config):
    found, weights = read_decoder(base_of(write_folder(tmp_path, config)))
    assert found.biases == config.biases
    assert (found.norm, found.positions, found.feed) == (config.norm, config.positions, config.feed)
    for name, array in weights_of(config).items():
        np.testing.assert_array_equal(weights[name], array)


def test_older_names_and_masks_are_understood():
    bare = {name.removeprefix("transformer."): array for name, array in stored(GPT2, weights_of(GPT2)).items()}
    bare["h.0.attn.bias"] = np.ones((1, 1, 96, 96), np.float32)
    found = rename_gpt2(bare, GPT2)
    assert set(found) == set(weights_of(GPT2))


def test_what_is_odd_is_named():
    settings = gpt2_settings(GPT2)
    with pytest.raises(BaseModelError, match="the activation relu"):
        gpt2_config({**settings, "activation_function": "relu"}, where="here")
    with pytest.raises(BaseModelError, match="scaled by the number of a layer"):
        gpt2_config({**settings, "scale_attn_by_inverse_layer_idx": True}, where="here")
    del settings["n_embd"]
    with pytest.raises(BaseModelError, match="a value for n_embd"):
        to_config(settings, where="here")


def test_weights_that_nobody_knows_are_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    file = write_folder(tmp_path, GPT2) / "model.safetensors"
    save_file({**load_file(file), "transformer.h.0.adapter.weight": np.ones(3, np.float32)}, file)
    with pytest.raises(BaseModelError, match="does not know"):
        read_decoder(base_of(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(gpt2_settings(GPT2) | {"n_head": 5}))
    with pytest.raises(BaseModelError):
        read_decoder(base_of(tmp_path))
