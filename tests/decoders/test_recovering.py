"""Tests of weights taken out of an exported decoder."""

import dataclasses

import numpy as np
import pytest

from headway.decoders.exporting import export_decoder
from headway.decoders.packing import Packed, pack, unpack
from headway.decoders.recovering import recover
from headway.errors import PackageError
from headway.networks.nodes import model_bytes
from tests.decoders.tiny import CONFIG, GPT2, QWEN2, bits_of, weights_of


@pytest.mark.parametrize("config", [CONFIG, dataclasses.replace(CONFIG, tied=False), QWEN2, GPT2])
def test_float_weights_come_back_as_they_were(config):
    weights = weights_of(config)
    found_config, found = recover(export_decoder(config, weights))
    assert found_config == config
    assert set(found) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("precision", ["int8", "mixed", "int4"])
def test_packed_weights_come_back_packed(precision):
    weights = weights_of()
    _, found = recover(export_decoder(CONFIG, weights, precision=precision))
    for name, array in weights.items():
        if array.ndim == 1:
            np.testing.assert_array_equal(found[name], array)
            continue
        assert isinstance(found[name], Packed)
        expected = unpack(pack(array, bits_of(name, precision)))
        np.testing.assert_array_equal(unpack(found[name]), expected)


def test_another_graph_is_refused():
    import spox
    import spox.opset.ai.onnx.v21 as op

    x = spox.argument(spox.Tensor(np.float32, ("rows",)))
    with pytest.raises(PackageError, match="sizes"):
        recover(model_bytes({"x": x}, {"y": op.relu(x)}))
