"""What is worth keeping: heads, channels and layers by what the loss says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headway.compression.pruning.blueprint import Blueprint
from headway.compression.pruning.cutting import without
from headway.compression.pruning.executing import Executed
from headway.compression.pruning.groups import Group, Span
from headway.compression.pruning.recovery import source_of
from headway.models.family import Examples
from headway.networks.batches import sequential
from headway.networks.loop import scale_of
from headway.networks.losses import targets_of
from headway.package.graph import Graph
from headway.tasks import Task

# Rows that are looked at, and how many in one step.
ROWS, STEP = 256, 32


@dataclass(frozen=True)
class Evidence:
    """What tells the worth: rows that the graph learnt from, with their true labels."""

    graph: Graph
    examples: Examples
    task: Task

    @property
    def scale(self) -> tuple[float, float]:
        """Return the mean and deviation of a regression's values."""
        return scale_of(self.examples.y, self.task)

    def losses(self, network: Executed) -> Iterator[Tensor]:
        """Yield the loss of each step."""
        few = self.examples.take(np.arange(min(ROWS, len(self.examples))))
        source = source_of(self.graph, few)
        wanted = torch.from_numpy(targets_of(few.y, self.task, self.scale))
        for positions in sequential(source, STEP):
            outputs = network(*source.batch(positions, None)).float()
            y = wanted[torch.from_numpy(positions)]
            is_label = self.task.kind == "classify"
            yield functional.cross_entropy(outputs, y) if is_label else functional.mse_loss(outputs.squeeze(1), y)


def keep_groups(
    blueprint: Blueprint, groups: Sequence[Group], share: float, evidence: Evidence
) -> list[tuple[Group, np.ndarray]]:
    """Return of each group the places of the `share` that is worth most, ascending; at least one.

    The worth of a channel is the change of the loss without it, to first order: weight times gradient, summed over
    what reads it (Molchanov et al. 2019, "Importance estimation for neural network pruning"; for heads Michel et al.
    2019, section 4.1), as an absolute value for each step.
    """
    network = Executed(blueprint, evidence.scale)
    totals = [np.zeros(group.count) for group in groups]
    for loss in evidence.losses(network):
        network.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        totals = [total + _worth(network, group) for total, group in zip(totals, groups, strict=True)]
    kept = []
    for total, group in zip(totals, groups, strict=True):
        many = max(1, round(share * group.count))
        kept.append((group, np.sort(np.argsort(-total, kind="stable")[:many])))
    return kept


def _worth(network: Executed, group: Group) -> np.ndarray:
    name, axis = group.reader
    weight = getattr(network, network.learning[name])
    each = (weight.detach() * weight.grad).movedim(axis, 0).flatten(1).sum(1)
    return np.asarray(each.reshape(group.count, group.block).sum(1).abs().numpy(), np.float64)


def leave_out(blueprint: Blueprint, spans: Sequence[Span], count: int, evidence: Evidence) -> Blueprint:
    """Return the graph without `count` layers: one at a time, the one whose absence costs the least loss."""
    left = list(spans)
    for _ in range(count):
        tried = [(_mean_loss(without(blueprint, span), evidence), span) for span in left]
        least = min(tried, key=lambda pair: pair[0])[1]
        blueprint = without(blueprint, least)
        left = [_behind(span, least) for span in left if span != least]
    return blueprint


def _behind(span: Span, gone: Span) -> Span:
    """Return a layer as it is once another one is gone: what came out of that one comes out of the one before."""
    return Span(gone.start if span.start == gone.end else span.start, span.end)


@torch.inference_mode()
def _mean_loss(blueprint: Blueprint, evidence: Evidence) -> float:
    return float(np.mean([float(loss) for loss in evidence.losses(Executed(blueprint, evidence.scale))]))
