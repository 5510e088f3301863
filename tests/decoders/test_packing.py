"""Tests of weights in few bits."""

import numpy as np
import pytest

from headway.decoders.packing import BLOCK, pack, unpack


def test_eight_bits_are_within_half_a_step():
    weight = np.random.default_rng(0).standard_normal((7, 3 * BLOCK)).astype(np.float32)
    packed = pack(weight, 8)
    away = np.abs(unpack(packed) - weight).reshape(7, 3, BLOCK).max(-1)
    assert (away <= packed.scales / 2 + 1e-6).all()


def test_four_bits_lose_little_and_a_grid_of_sixteen_steps_nothing():
    generator = np.random.default_rng(1)
    weight = generator.standard_normal((9, 4 * BLOCK)).astype(np.float32)
    error = np.square(unpack(pack(weight, 4)) - weight).mean()
    assert error < 0.0125
    grid = (generator.integers(0, 16, weight.shape) - 5).astype(np.float32) * 0.25
    grid[:, ::BLOCK], grid[:, 1::BLOCK] = -5 * 0.25, 10 * 0.25
    np.testing.assert_allclose(unpack(pack(grid, 4)), grid, atol=1e-6)


@pytest.mark.parametrize("bits", [4, 8])
def test_inputs_that_fill_no_block_and_zeros_survive(bits):
    weight = np.random.default_rng(2).standard_normal((3, BLOCK + 5)).astype(np.float32)
    weight[1] = 0
    found = unpack(pack(weight, bits))
    assert found.shape == weight.shape
    assert not found[1].any()
    np.testing.assert_allclose(found, weight, atol=0.3)
