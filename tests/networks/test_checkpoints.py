import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from headway.compute.clock import Clock
from headway.networks.batches import Arrays, Lesson
from headway.networks.checkpoints import Checkpoints, values_of
from headway.networks.plan import Plan
from headway.networks.training import predict, train
from headway.tasks import Classify

ROOT = Path(__file__).parents[2]
TASK = Classify(("no", "yes"))
PLAN = Plan(epochs=6, batch_size=16, learning_rate=0.01, early_stopping=3, dropout=0.2)


class Fatal(Arrays):
    """Rows that kill the process at the batch numbered by the environment."""

    seen = 0

    def batch(self, positions, augment):
        Fatal.seen += 1
        if Fatal.seen == int(os.environ.get("FATAL", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().batch(positions, augment)


def build():
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))


def trained(file, plan=PLAN):
    """A network whose every step may leave a checkpoint."""
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    lessons = Lesson(Fatal((x[:150],)), y[:150]), Lesson(Arrays((x[150:],)), y[150:])
    return train(build, *lessons, TASK, plan, seed=3, clock=Clock(), checkpoints=Checkpoints(file, every=0.0))


# Killed in the first epoch, between two epochs, and late.
@pytest.mark.parametrize("fatal", [4, 11, 37])
def test_killed_at_any_step_training_goes_on_to_the_same_network(tmp_path, fatal):
    file = tmp_path / "run" / "checkpoint.pt"
    command = [sys.executable, "-m", "tests.networks.test_checkpoints", str(file)]
    environment = {**os.environ, "FATAL": str(fatal), "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert file.exists()
    Fatal.seen = 0
    resumed = trained(file)
    steps = Fatal.seen
    whole = trained(tmp_path / "other.pt")
    assert steps < Fatal.seen - steps
    assert resumed.settings == whole.settings
    assert resumed.train_loss == whole.train_loss
    for mine, theirs in zip(resumed.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_killed_after_the_very_last_step_the_last_epoch_is_still_validated(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda _: True)
    whole, again = (trained(tmp_path / "checkpoint.pt", replace(PLAN, epochs=2)) for _ in range(2))
    assert len(whole.valid_loss) == 2
    assert again.valid_loss == whole.valid_loss
    assert again.settings == whole.settings


def test_a_checkpoint_that_cannot_be_read_is_as_good_as_none(tmp_path):
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(b"half a checkpoint")
    assert Checkpoints(file).load() is None
    answers = [predict(trained(path), Arrays((np.eye(4, dtype=np.float32),))) for path in (file, tmp_path / "new.pt")]
    np.testing.assert_array_equal(*answers)


def test_a_checkpoint_is_due_after_its_interval_only(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoint.pt", every=1000.0)
    assert not checkpoints.is_due()
    assert Checkpoints(tmp_path / "checkpoint.pt", every=0.0).is_due()


def test_frozen_weights_stay_out_of_checkpoints():
    network = build()
    network[0].requires_grad_(requires_grad=False)
    assert sorted(values_of(network)) == ["3.bias", "3.weight"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained(Path(sys.argv[1]))
