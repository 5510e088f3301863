import numpy as np
import pytest
import torch

from headway.compute.clock import Clock
from headway.encoders import states
from headway.encoders.states import StateStore
from headway.errors import TrainingError
from headway.networks.batches import Sequences


def tokens(rows=40, seed=0):
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 12, rows)
    return Sequences(generator.integers(1, 50, lengths.sum()), np.concatenate([[0], np.cumsum(lengths)]))


class Compute:
    """States that tell their token and its place."""

    def __init__(self):
        self.texts = 0

    def __call__(self, ids, mask):
        self.texts += len(ids)
        places = torch.arange(ids.shape[1]).expand(ids.shape)
        return torch.stack([ids.float(), places.float()], dim=2), (ids * mask).sum(1, keepdim=True).float()


def test_kept_states_are_those_of_each_token(tmp_path, monkeypatch):
    monkeypatch.setattr(states, "PART_TOKENS", 50)
    monkeypatch.setattr(states, "BATCH", 6)
    texts, compute = tokens(), Compute()
    store = StateStore(tmp_path)
    store.fill(texts, compute, Clock())
    assert len(store.parts) > 2
    kept = store.find(texts)
    ids, mask, found = kept.batch(np.array([3, 0, 17]), None)
    torch.testing.assert_close(found[..., 0], (ids * mask).float())
    assert (found[mask == 0] == 0).all()
    np.testing.assert_array_equal(kept.pooled[:, 0], np.add.reduceat(texts.flat, texts.starts[:-1]))
    some = kept.take(np.array([5, 2]))
    torch.testing.assert_close(some.batch(np.array([1]), None)[2], kept.batch(np.array([2]), None)[2])


def test_what_is_there_is_not_computed_again(tmp_path):
    texts, compute = tokens(), Compute()
    StateStore(tmp_path).fill(texts.take(np.arange(25)), compute, Clock())
    seen = compute.texts
    again = StateStore(tmp_path)
    again.fill(texts, compute, Clock())
    assert compute.texts <= len(texts)
    assert compute.texts > seen
    assert len(again.find(texts)) == len(texts)


def test_repeated_texts_are_computed_once(tmp_path):
    texts, compute = tokens(10), Compute()
    StateStore(tmp_path).fill(texts.take(np.repeat(np.arange(10), 3)), compute, Clock())
    assert compute.texts <= 10


def test_outliers_beyond_float16_are_cut(tmp_path):
    texts = tokens(3)
    store = StateStore(tmp_path)
    store.fill(texts, lambda ids, _: (torch.full((*ids.shape, 2), 1e9), torch.zeros(len(ids), 2)), Clock())
    assert torch.isfinite(store.find(texts).batch(np.arange(3), None)[2]).all()


def test_a_clock_that_runs_out_ends_it_and_keeps_whole_parts_only(tmp_path):
    with pytest.raises(TrainingError, match="the time ended"):
        StateStore(tmp_path).fill(tokens(), Compute(), Clock.after(-1))
    assert not list(tmp_path.glob("part-*"))
