"""Train a network on packed rows: `fit_loop -> train_step`, under a clock, from checkpoint to checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.gpt.muon import Muon
from headway.models.gpt.network import Decoder
from headway.models.gpt.plan import SHORTEST_WINDOW, Plan
from headway.models.rows import Packed, judge_rows, pack
from headway.models.sequences import Sequences
from headway.networks.breaking import broken_off
from headway.networks.checkpoints import Checkpoints, Values, values_of
from headway.networks.device import has_bfloat16
from headway.networks.optimizing import Progress, rate_factor

# How often the loss on a part of the validation text is looked at, and how many tokens of it.
LOOKS, LOOK_TOKENS = 16, 16_384
JUDGE_TOKENS = 4_096
# Share of the time that is held back, for export and noisy neighbours.
RESERVE = 0.03
# What the latest step counts in the mean of their seconds.
LATEST = 0.05


@dataclass
class Training:
    """The state of one training run."""

    network: Decoder
    lesson: Sequences
    valid: Sequences | None
    plan: Plan
    clock: Clock
    seed: int
    seconds_a_step: float = 0.0
    checkpoints: Checkpoints | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0
    progress: Progress = field(default_factory=Progress)
    # Of the reading that goes on: its number, its length of rows, and how many of its rows are behind.
    reading: tuple[int, int, int] = (0, 0, 0)
    losses: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    best: tuple[float, Values] | None = None
    trouble: str = ""

    def __post_init__(self) -> None:
        self.optimizers = optimizers_of(self.network, self.plan)
        self.packed: Packed | None = None
        self.reserve = 0.0 if math.isinf(self.clock.deadline) else RESERVE * self.clock.left()
        self.look = None if self.valid is None else first_tokens(self.valid, LOOK_TOKENS)

    def fit_loop(self) -> None:
        """Take steps until the plan or the clock ends; go on where a killed run stopped; keep the best weights."""
        self._resume()
        while (left := self.steps_left()) > 0:
            began = time.perf_counter()
            loss = self.train_step(left)
            if not math.isfinite(loss):
                self.trouble = broken_off(
                    loss, self.steps + 1,
                    kept=None if self.best is None else "the best weights before that were kept",
                    got=f"learning rate {self.plan.learning_rate:g}, optimizer {self.plan.optimizer}",
                    fix="lower training.learning_rate, or set training.clip to 1",
                )  # fmt: skip
                break
            self.losses.append(loss)
            self.progress = self.progress.advanced(left)
            self.steps += 1
            if self.progress.done >= (len(self.train_loss) + 1) / LOOKS:
                self._look()
            if self.checkpoints is not None and self.checkpoints.is_due():
                self.checkpoints.save(self._state())
            # Later steps read longer rows: the latest count most.
            taken = time.perf_counter() - began
            self.seconds_a_step += (taken - self.seconds_a_step) * (LATEST if self.seconds_a_step else 1.0)
        if self.losses and not self.trouble:
            self._look()
        if self.steps == 0:
            raise TrainingError(
                "the time ended before the first training step",
                expected="time for at least one step",
                got=f"{self.clock.left():.1f} s left",
                fix="raise budget.time, or leave this candidate out",
            )
        if self.best is not None:
            self.network.load_state_dict(self.best[1], strict=False)

    def steps_left(self) -> int:
        """Return how many more steps there will be: the plan's, or fewer where the time is short."""
        wanted = self.plan.steps - self.steps
        if math.isinf(self.clock.deadline) or wanted <= 0:
            return max(0, wanted)
        return max(0, min(wanted, math.floor((self.clock.left() - self.reserve) / max(self.seconds_a_step, 1e-9))))

    def train_step(self, steps_left: int) -> float:
        """Take one step down the gradient; return the mean loss of its tokens."""
        rate = self.plan.learning_rate * rate_factor(self.plan, self.progress.advanced(2 * steps_left))
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
        self.network.train()
        loss = self.loss_of(torch.from_numpy(self._next_rows()))
        loss.backward()  # type: ignore[no-untyped-call]
        if self.plan.clip > 0:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        return float(loss.item())

    def loss_of(self, rows: Tensor) -> Tensor:
        """Return the mean loss of predicting each token of `[rows, length + 1]` from those before it."""
        with autocast(self.plan):
            logits = self.network.logits_of(self.network(rows[:, :-1]))
        return functional.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())

    def _next_rows(self) -> np.ndarray:
        """Return the next batch; a reading that is through is followed by another one in another order."""
        number, before, behind = self.reading
        short = self.progress.done < self.plan.short_share and self.plan.window >= 4 * SHORTEST_WINDOW
        length = self.plan.window // 4 if short else self.plan.window
        if length != before:
            number, behind, self.packed = number + 1, 0, None
        if self.packed is None:
            self.packed = self._packed(number, length)
        size = min(max(1, self.plan.tokens // length), len(self.packed.offsets))
        if behind + size > len(self.packed.offsets):
            number, behind = number + 1, 0
            self.packed = self._packed(number, length)
        self.reading = (number, length, behind + size)
        return self.packed.batch(np.arange(behind, behind + size))

    def _packed(self, number: int, length: int) -> Packed:
        return pack(self.lesson, length, np.random.default_rng([self.seed, number]))

    def _look(self) -> None:
        """Note the losses since the last look and that on the validation part; keep the weights where it is best."""
        self.train_loss.append(float(np.mean(self.losses)))
        self.losses.clear()
        if self.look is None:
            return
        found = losses_of(self.network, self.look, self.plan)
        loss = float(found[self.look.scored].mean())
        self.valid_loss.append(loss)
        if self.best is None or loss < self.best[0]:
            self.best = (loss, values_of(self.network))

    def _state(self) -> dict[str, object]:
        """Return all that training goes on from, in types that load without running code."""
        return {
            "plan": dict(self.settings),
            "threads": self.plan.threads,
            "seconds_a_step": self.seconds_a_step,
            "weights": values_of(self.network),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "torch": torch.random.get_rng_state(),
            "steps": self.steps,
            "done": self.progress.done,
            "reading": self.reading,
            "curves": (self.losses, self.train_loss, self.valid_loss),
            "best": self.best,
        }

    def _resume(self) -> None:
        """Take up the state of a checkpoint, where there is one."""
        state = None if self.checkpoints is None else self.checkpoints.load()
        if state is None:
            return
        self.network.load_state_dict(state["weights"], strict=False)
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        torch.random.set_rng_state(state["torch"])
        self.steps, self.progress, self.reading = state["steps"], Progress(state["done"]), tuple(state["reading"])
        self.losses, self.train_loss, self.valid_loss = state["curves"]
        self.best = state["best"]
        self.seconds_a_step = state["seconds_a_step"]


def optimizers_of(network: Decoder, plan: Plan) -> list[torch.optim.Optimizer]:
    """Return the optimisers; each group's `share` multiplies the rate.

    Muon is for the matrices between embedding and head; the table of tokens and the norms keep AdamW.
    """
    table = network.embedding.weight
    matrices = [parameter for parameter in network.parameters() if parameter.ndim == 2 and parameter is not table]
    norms = [parameter for parameter in network.parameters() if parameter.ndim < 2]
    rate, decay = plan.learning_rate, plan.weight_decay
    if plan.optimizer == "muon":
        groups = [
            {"params": [table], "weight_decay": 0.0, "share": TABLE_SHARE},
            {"params": norms, "weight_decay": 0.0, "share": TABLE_SHARE},
        ]
        first: torch.optim.Optimizer = Muon(matrices, lr=rate, weight_decay=decay)
        first.param_groups[0]["share"] = 1.0
        return [first, torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)]
    groups = [
        {"params": [*matrices, table], "weight_decay": decay, "share": 1.0},
        {"params": norms, "weight_decay": 0.0, "share": 1.0},
    ]
    if plan.optimizer == "sgd":
        return [torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True)]
    kind = torch.optim.Adam if plan.optimizer == "adam" else torch.optim.AdamW
    return [kind(groups, lr=rate, betas=(0.9, 0.99), fused=True)]


# The table's AdamW rate as a share of Muon's.
TABLE_SHARE = 0.6


def autocast(plan: Plan) -> torch.autocast:
    """Return a context in which matrix work runs in bfloat16 where the plan says so and the hardware has it."""
    reduced = plan.precision == "auto" and has_bfloat16(torch.device("cpu"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced)


@torch.inference_mode()
def losses_of(network: Decoder, sequences: Sequences, plan: Plan) -> np.ndarray:
    """Return float64 `[n]`: the loss of each scored token in nats, 0 for the others, in full precision."""
    network.eval()
    found = np.zeros(len(sequences.ids))
    for judged in judge_rows(sequences, plan.window, most_tokens=JUDGE_TOKENS):
        states = network(torch.from_numpy(judged.ids))
        picked = states[torch.from_numpy(judged.row), torch.from_numpy(judged.column)]
        targets = torch.from_numpy(sequences.ids[judged.token].astype(np.int64))
        found[judged.token] = functional.cross_entropy(network.logits_of(picked), targets, reduction="none").numpy()
    return found


def first_tokens(sequences: Sequences, most: int) -> Sequences:
    """Return the start of a corpus: whole texts, or a part of one long text."""
    if len(sequences.ids) <= most:
        return sequences
    texts = int(np.searchsorted(sequences.starts, most, side="right")) - 1
    starts = sequences.starts[: texts + 1] if texts else np.array([0, most])
    end = int(starts[-1])
    return Sequences(sequences.ids[:end], sequences.row[:end], sequences.scored[:end], starts)


def timed(training: Training, *, steps: int = 3) -> float:
    """Return the seconds of a step, measured on a copy of the network."""
    import copy

    with torch.random.fork_rng():
        plan = replace(training.plan, steps=10**9)
        probe = Training(copy.deepcopy(training.network), training.lesson, None, plan, Clock(), seed=0)
        taken = []
        for _ in range(steps + 1):
            began = time.perf_counter()
            probe.train_step(10**9)
            taken.append(time.perf_counter() - began)
    return float(np.median(taken[1:]))
