import numpy as np

from headway.runtime.feeds.batches import batches_of


def test_batches_hold_every_row_once_and_little_padding():
    lengths = np.random.default_rng(0).integers(1, 200, 500)
    batches = list(batches_of(lengths, tokens=1000))
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert padded <= 1.15 * lengths.sum()
    assert max(lengths[batch].max() * len(batch) for batch in batches) <= 1000
