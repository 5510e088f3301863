"""Tests of the layout of decoders."""

import dataclasses

import numpy as np
import pytest

from headway.decoders.stack import HEAD, DecoderConfig, check_config, check_weights, shapes
from headway.errors import BaseModelError

CONFIG = DecoderConfig(vocabulary=40, width=64, layers=2, heads=4, key_value_heads=2, hidden=24, window=32)


def weights_of(config: DecoderConfig) -> dict[str, np.ndarray]:
    return {name: np.zeros(shape, np.float32) for name, shape in shapes(config).items()}


def test_whole_weights_pass_tied_and_not():
    check_weights(CONFIG, weights_of(CONFIG))
    loose = dataclasses.replace(CONFIG, tied=False)
    assert HEAD in weights_of(loose)
    check_weights(loose, weights_of(loose))


def test_a_missing_weight_is_named():
    weights = weights_of(CONFIG)
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(BaseModelError, match=r"model\.layers\.1\.mlp\.up_proj\.weight"):
        check_weights(CONFIG, weights)


def test_another_shape_is_named():
    weights = weights_of(CONFIG) | {"model.norm.weight": np.zeros(15, np.float32)}
    with pytest.raises(BaseModelError, match=r"(?s)\[64\].*\[15\]"):
        check_weights(CONFIG, weights)


def test_a_bias_is_told_and_not_dropped():
    weights = weights_of(CONFIG) | {"model.layers.0.self_attn.q_proj.bias": np.zeros(64, np.float32)}
    with pytest.raises(BaseModelError, match="does not know"):
        check_weights(CONFIG, weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"heads": 8}, "multiple of 16, got 8"), ({"key_value_heads": 3}, "4 / 3"), ({"heads": 3}, "64 / 3")],
)
def test_sizes_that_cannot_be_exported_are_refused(change, words):
    check_config(CONFIG)
    with pytest.raises(BaseModelError, match=words):
        check_config(dataclasses.replace(CONFIG, **change))
