import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headway.compression.quantising.four_bits import BLOCK, pack


@given(st.integers(1, 100), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_packed_weights_are_near_what_they_were(inputs, outputs, seed):
    weight = np.random.default_rng(seed).normal(size=(inputs, outputs)).astype(np.float32)
    packed, scale = pack(weight)
    numbers = np.stack([packed & 15, packed >> 4], axis=-1).reshape(outputs, -1, BLOCK)
    found = (numbers.astype(np.float32) - 8) * scale.reshape(outputs, -1, 1)
    found = found.reshape(outputs, -1)[:, :inputs].T
    steps = np.repeat(np.abs(scale).reshape(outputs, -1), BLOCK, axis=1)[:, :inputs].T
    assert (np.abs(found - weight) <= steps * 1.001).all()


def test_a_block_of_zeros_stays_zero():
    packed, scale = pack(np.zeros((BLOCK, 1), np.float32))
    assert (scale == 0).all()
    assert (packed == 0x88).all()
