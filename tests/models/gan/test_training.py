from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from headway.compute.clock import Clock
from headway.modalities.image.framing import Frame
from headway.models.gan import fitting, training
from headway.models.gan.fitting import fit, make_training
from headway.models.gan.plan import Plan
from headway.models.gan.training import Album, Training
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import seeded
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from tests.models.gan.material import bars, examples

QUICK = Recipe(epochs=2, batch_size=16)


class KilledError(Exception):
    """Stands for the end of the process."""


def fitted(scratch, clock=None):
    return fit(examples(scratch=scratch), None, Generate(), QUICK, settings=None, seed=1, clock=clock or Clock())


def kill_at(monkeypatch, step):
    """Write a checkpoint after each step, and end before the step of this number."""
    before = Training.train_step

    def train_step(self, left):
        if self.steps == step and self.checkpoints is not None:
            raise KilledError
        return before(self, left)

    monkeypatch.setattr(Training, "train_step", train_step)
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)


@pytest.mark.parametrize("step", [1, 7])
def test_a_killed_and_resumed_training_gives_the_same_curve_and_pictures(tmp_path, monkeypatch, step):
    whole = fitted(tmp_path / "whole")
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(KilledError):
            fitted(tmp_path / "killed")
    again = fitted(tmp_path / "killed")
    assert again.curves == whole.curves
    assert [look.done for look in again.looks] == [look.done for look in whole.looks]
    labels = np.arange(6) % 3
    assert (again.draw(labels, seed=0) == whole.draw(labels, seed=0)).all()


def test_a_resumed_training_keeps_the_threads_it_had_measured(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fastest", lambda training, plan: (replace(plan, threads=1), 0.01))
        kill_at(patch, 7)
        with pytest.raises(KilledError):
            fitted(tmp_path, Clock.after(600))
    monkeypatch.setattr(fitting, "fastest", lambda training, plan: (replace(plan, threads=2), 0.01))
    assert fitted(tmp_path, Clock.after(600)).plan.threads == 1


def test_time_that_is_over_for_a_resumed_training_keeps_what_was_learnt(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, 7)
        with pytest.raises(KilledError):
            fitted(tmp_path, Clock.after(600))
    again = fitted(tmp_path, Clock.after(0))
    assert again.plan.steps == 7
    assert again.looks[-1].pictures == 7 * again.plan.batch_size


def test_looks_that_take_much_of_the_time_become_rare(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LOOKING_SHARE", 1e-9)
    assert len(fitted(tmp_path, Clock.after(600)).looks) == 2  # the first, which tells what one takes, and the last
    assert len(fitted(None).looks) > 2


def test_a_full_disk_is_told_and_training_goes_on(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    found = fitted(tmp_path)
    assert "No space left on device" in found.notes[0]
    assert found.draw(np.zeros(1, np.int64), seed=0).shape == (1, 8, 8, 1)


def test_every_picture_is_seen_once_a_reading():
    pixels, labels = bars(30)
    album = Album(pixels, labels, 3)
    first = torch.cat([album.batch(start, 10, seed=0)[0] for start in (0, 10, 20)])
    assert len({each.numpy().tobytes() for each in first}) == 30
    across, _ = album.batch(25, 10, seed=0)  # the last five of a reading, and the first five of the next
    assert torch.equal(across[:5], first[25:])
    assert torch.equal(across[5:], album.batch(30, 5, seed=0)[0])


def test_a_set_smaller_than_a_batch_is_read_again():
    pixels, labels = bars(5)
    batch, found = Album(pixels, labels, 3).batch(0, 16, seed=0)
    assert len(batch) == len(found) == 16
    assert batch.abs().max() <= 1


def test_one_pass_gives_the_generator_the_gradient_of_its_own_loss():
    pixels, labels = bars(32)
    plan = Plan(10, (16, 8), (8, 8), batch_size=16, learning_rate=0.0, augment=False, precision="float32")
    with seeded(0):
        training = make_training(Album(pixels, labels, 3), Frame(8, 8, "L"), plan, Clock(), seed=0)
    start = training.random.get_state()
    training.train_step(10)
    found = [parameter.grad.clone() for parameter in training.generator.parameters()]
    training.random.set_state(start)
    training.generator.zero_grad()
    real, places = training.album.batch(0, 16, seed=0)
    drawn = training.generator(training.noise(16), places)
    lead = training.critic(real, places) - training.critic(drawn, places)
    functional.softplus(lead).mean().backward()
    for mine, parameter in zip(found, training.generator.parameters(), strict=True):
        assert torch.allclose(mine, parameter.grad, rtol=1e-3, atol=1e-6)
    assert any(mine.abs().max() > 1e-4 for mine in found)
