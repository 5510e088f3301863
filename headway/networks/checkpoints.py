"""Checkpoints: what a training run needs to go on after it was killed, in one file that is whole or not there."""

from __future__ import annotations

import pickle
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headway.compute.drafts import whole_file

Values = dict[str, Tensor]
# Writing may take this share of the training time at the most.
WRITING = 0.03


@dataclass
class Checkpoints:
    """The latest checkpoint of one run; a new one is due `every` so many seconds.

    `file` must be the run's own: another lesson, plan or seed needs another file. `trouble` says why the last one could
    not be written, and is empty where it could: training goes on without, and from the one before where it is killed.
    """

    file: Path
    every: float = 20.0
    written: float = field(default_factory=time.monotonic)
    cost: float = 0.0
    trouble: str = ""

    def is_due(self) -> bool:
        """Tell whether it is time for another one."""
        return time.monotonic() - self.written >= max(self.every, self.cost / WRITING)

    def save(self, state: dict[str, object]) -> None:
        """Write a checkpoint in place of the last; a full disk leaves the last one where it is."""
        began = time.monotonic()
        try:
            self._write(state)
            self.trouble = ""
        except (OSError, RuntimeError) as error:  # torch's writer wraps what the disk says
            self.trouble = f"no checkpoint could be written ({_first_line(error)}): killed, it would start anew"
        self.written = time.monotonic()
        self.cost = self.written - began

    def _write(self, state: dict[str, object]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.file) as draft:
            torch.save(state, draft)

    def load(self) -> dict[str, Any] | None:
        """Return the last checkpoint, or None where there is none that can be read."""
        if not zipfile.is_zipfile(self.file):
            return None
        try:
            return dict(torch.load(self.file, weights_only=True))
        except (OSError, RuntimeError, pickle.UnpicklingError):
            return None


def _first_line(error: Exception) -> str:
    cause = error if isinstance(error, OSError) else error.__cause__ or error.__context__ or error
    return str(cause).strip().split("\n")[0][:200]


def values_of(network: nn.Module) -> Values:
    """Return copies of the weights that learn and of the buffers that move with them; frozen weights stay out."""
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    return {name: value.detach().clone() for name, value in network.state_dict().items() if name not in frozen}
