"""A trained network, and its answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from headway.networks import losses
from headway.networks.batches import Source, sequential
from headway.networks.device import limited
from headway.networks.plan import Plan
from headway.tasks import Task

# A batch of evaluation: so many rows, and at most so many tokens with padding.
EVALUATION_BATCH, EVALUATION_TOKENS = 256, 16_384


@dataclass(frozen=True)
class Trained:
    """A trained network, in evaluation mode and on the CPU, and how it got there.

    `scale`: the mean and standard deviation that turn regression outputs into the target's unit, (0, 1) for
    classification. Losses are means per epoch; `error` is the validation error rate (classification).
    `epochs` is the length of the schedule, `best_epoch` (from 1) is the one whose weights were kept,
    0 where no epoch was better than the network as it was built (see `Plan.solved`).
    """

    network: nn.Module
    task: Task
    plan: Plan
    scale: tuple[float, float]
    epochs: int
    best_epoch: int
    train_loss: tuple[float, ...]
    valid_loss: tuple[float, ...]
    error: tuple[float, ...]
    seconds: float

    @property
    def settings(self) -> dict[str, float | int | str | bool]:
        """Return what `train` needs to replay this run without a validation part."""
        return {"epochs": self.epochs, "best_epoch": self.best_epoch}


def predict(trained: Trained, source: Source) -> np.ndarray:
    """Return float32 probabilities `[n, labels]`, or values `[n]`, computed in full precision."""
    with torch.inference_mode(), limited(trained.plan.threads):
        return answers_of(outputs_of(trained.network, source, torch.device("cpu")), trained)


def answers_of(outputs: Tensor, trained: Trained) -> np.ndarray:
    """Return what outputs `[n, width]` of a trained network stand for: probabilities `[n, labels]`, or values `[n]`."""
    if trained.task.kind == "classify":
        return losses.probabilities(outputs, trained.plan).numpy()
    mean, deviation = trained.scale
    return (outputs.squeeze(1) * deviation + mean).numpy()


def outputs_of(network: nn.Module, source: Source, device: torch.device) -> Tensor:
    """Return float32 outputs `[n, width]` on the CPU, in the order of the rows."""
    network.eval()
    order: list[np.ndarray] = []
    parts: list[Tensor] = []
    for positions in sequential(source, EVALUATION_BATCH, EVALUATION_TOKENS):
        batch = (argument.to(device) for argument in source.batch(positions, None))
        parts.append(network(*batch).float().cpu())
        order.append(positions)
    outputs = torch.empty_like(torch.cat(parts))
    outputs[torch.from_numpy(np.concatenate(order))] = torch.cat(parts)
    return outputs
