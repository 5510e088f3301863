"""A training that is killed as by a power cut: in a process of its own, once a checkpoint was written."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from headway.networks import checkpoints

ROOT = Path(__file__).parents[1]


@contextmanager
def dying_after(fatal):
    """Write a checkpoint at every step, and kill this process after the one numbered `fatal`; yields their count."""
    seen = [0]

    def save(kept, state, plain=checkpoints.Checkpoints.save):
        plain(kept, state)
        seen[0] += 1
        if seen[0] == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoints.Checkpoints, "is_due", lambda _: True)
        patched.setattr(checkpoints.Checkpoints, "save", save)
        yield seen


def let_die(module, *arguments):
    """Run a test module as a program that has to be killed, on one thread."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
