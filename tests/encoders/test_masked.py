import numpy as np
import pytest
import torch

from headway.compute.clock import Clock
from headway.encoders import masked
from headway.encoders.masked import Course, pretrain
from headway.encoders.opening import open_encoder
from headway.networks.batches import Sequences
from headway.networks.checkpoints import Checkpoints
from tests.encoders.tiny import tiny_base

MASK, SPECIAL = 1, (0, 1, 2, 3)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base") / "bert")


def patterns(rows=300, seed=0):
    """Rows of tokens in which each token tells the next."""
    generator = np.random.default_rng(seed)
    starts = generator.integers(4, 14, rows)
    lengths = generator.integers(4, 12, rows)
    flat = [np.concatenate([[2], 4 + (s - 4 + np.arange(n)) % 10, [3]]) for s, n in zip(starts, lengths, strict=True)]
    return Sequences(np.concatenate(flat), np.concatenate([[0], np.cumsum([len(row) for row in flat])]))


def course(steps=60, **changes):
    return Course(steps, 32, 3e-3, MASK, SPECIAL, **changes)


def trained(base, tmp_path, *, steps=60, every=1e9, **changes):
    encoder = open_encoder(base)
    checkpoints = Checkpoints(tmp_path / "checkpoint.pt", every=every)
    losses = pretrain(encoder, patterns(), course(steps, **changes), seed=0, clock=Clock(), checkpoints=checkpoints)
    return encoder, losses


def test_hidden_tokens_are_guessed_better_and_better(base, tmp_path):
    encoder, losses = trained(base, tmp_path, steps=120)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_the_table_of_tokens_learns_only_where_it_should(base, tmp_path):
    before = open_encoder(base).backbone.get_input_embeddings().weight
    kept = trained(base, tmp_path / "a", steps=3)[0].backbone.get_input_embeddings().weight
    learnt = trained(base, tmp_path / "b", steps=3, words=True)[0].backbone.get_input_embeddings().weight
    assert torch.equal(before, kept)
    assert not torch.equal(before, learnt)


def test_a_killed_pretraining_goes_on_to_the_same_end(base, tmp_path, monkeypatch):
    whole, losses = trained(base, tmp_path / "whole", steps=20)
    steps = []

    def killed(*arguments):
        if len(steps) == 12:
            raise KeyboardInterrupt
        steps.append(arguments)
        return real(*arguments)

    real = masked._step
    monkeypatch.setattr(masked, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(base, tmp_path / "killed", steps=20, every=0.0)
    monkeypatch.setattr(masked, "_step", real)
    resumed, again = trained(base, tmp_path / "killed", steps=20, every=0.0)
    np.testing.assert_allclose(again, losses, rtol=1e-5)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_clock_ends_it_in_good_order(base, tmp_path):
    encoder = open_encoder(base)
    losses = pretrain(
        encoder, patterns(), course(10_000), seed=0, clock=Clock.after(0.5), checkpoints=Checkpoints(tmp_path / "x")
    )
    assert losses
    assert not encoder.training


def test_special_tokens_and_padding_are_never_hidden():
    lesson = masked._Lesson(patterns(), np.arange(4, 14), course(hidden=0.9), 0)
    shares = []
    for ids, mask, places, truth in lesson.parts(0):
        assert not places[mask == 0].any()
        assert (ids[places] != 0).all()
        assert len(truth) == int(places.sum())
        shares.append(float((ids[places] == MASK).float().mean()))
    assert 0.7 < np.mean(shares) < 0.9
