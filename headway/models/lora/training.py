"""Teach adapters one lesson: `fit_loop -> train_step`, under a clock, from checkpoint to checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.lora.lessons import Lesson
from headway.models.lora.network import Tuned
from headway.models.lora.plan import Plan
from headway.networks.breaking import broken_off
from headway.networks.checkpoints import Checkpoints, Values, values_of
from headway.networks.optimizing import Progress, rate_factor

# How often the validation part is looked at: at the most, not more often than every so many steps, and for no more
# than this share of the time.
LOOKS, STEPS_A_LOOK, LOOKING_SHARE = 8, 10, 0.1
# What the latest step counts in the mean of their seconds.
LATEST = 0.1


@dataclass
class Training:
    """The state of one lesson.

    `steps` is the length of the schedule, `rate` its highest learning rate; `stop`: where an earlier training was at
    its best, and this one ends.
    """

    network: Tuned
    lesson: Lesson
    valid: Lesson | None
    plan: Plan
    clock: Clock
    seed: int
    steps: int
    rate: float
    stop: int | None = None
    checkpoints: Checkpoints | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds_a_step: float = 0.0
    reserve: float = 0.0
    look_seconds: float = 0.0
    taken: int = 0
    progress: Progress = field(default_factory=Progress)
    losses: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    # The loss, the steps taken and the adapters where the validation part was foreseen best.
    best: tuple[float, int, Values] | None = None
    trouble: str = ""
    # Whether the lesson ended in an earlier attempt.
    is_over: bool = False

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.AdamW(
            list(self.network.parameters()), lr=self.rate, weight_decay=self.plan.weight_decay, fused=True
        )
        self.space_looks()
        # The length that the schedule turned out to have.
        self.schedule = self.steps

    def space_looks(self) -> None:
        """Settle how often the validation part is looked at, by the steps that there is time for, and by its cost."""
        left = self.clock.left() - self.reserve
        affordable = LOOKS if not self.look_seconds else int(min(LOOKS, LOOKING_SHARE * left / self.look_seconds))
        self.looks = max(1, min(affordable, self.steps_left() // STEPS_A_LOOK))

    def fit_loop(self) -> None:
        """Take steps until the schedule, the clock or the patience ends, from where `resume` stopped.

        What is left in the network is the best that was seen.
        """
        while not self.is_over and (left := self.steps_left()) > 0 and not self.is_patience_over():
            began = time.perf_counter()
            loss = self.train_step(left)
            if not math.isfinite(loss):
                self.trouble = broken_off(
                    loss, self.taken + 1,
                    kept=None if self.best is None else "the best adapters before that were kept",
                    got=f"learning rate {self.rate:g}", fix="lower training.learning_rate, or set training.clip to 1",
                )  # fmt: skip
                break
            self.losses.append(loss)
            self.progress = self.progress.advanced(left)
            self.taken += 1
            taken = time.perf_counter() - began
            self.seconds_a_step += (taken - self.seconds_a_step) * (LATEST if self.seconds_a_step else 1.0)
            if self.progress.done >= (len(self.train_loss) + 1) / self.looks:
                self._look()
            if self.checkpoints is not None and self.checkpoints.is_due():
                self.checkpoints.save(self._state())
        if self.losses and not self.trouble:
            self._look()
        if self.taken == 0:
            raise TrainingError(
                "the time ended before the first training step",
                expected="time for at least one step",
                got=f"{self.clock.left():.1f} s left, {self.reserve:.1f} s of them for judging and packaging",
                fix="raise budget.time, or leave this candidate out",
            )
        if self.checkpoints is not None and not self.is_over:
            self.checkpoints.save({**self._state(), "over": True})
        self.schedule = self.steps if self.is_patience_over() or self.stop is not None else self.taken
        if self.best is not None:
            self.network.load_state_dict(self.best[2], strict=False)
            self.taken = self.best[1]
        self.network.merge()

    def steps_left(self) -> int:
        """Return how many more steps there will be: the schedule's, or fewer where the time is short."""
        if self.stop is not None and self.taken >= self.stop:
            return 0
        wanted = self.steps - self.taken
        if math.isinf(self.clock.deadline) or wanted <= 0 or not self.seconds_a_step:
            return max(0, wanted)
        return max(0, min(wanted, math.floor((self.clock.left() - self.reserve) / max(self.seconds_a_step, 1e-9))))

    def is_patience_over(self) -> bool:
        """Tell whether the last looks brought nothing."""
        if self.best is None:
            return False
        return len(self.valid_loss) - 1 - int(np.argmin(self.valid_loss)) >= self.plan.patience

    def train_step(self, steps_left: int) -> float:
        """Take one step down the gradient; return the mean loss of what it read."""
        self.optimizer.zero_grad(set_to_none=True)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * rate_factor(self.plan, self.progress.advanced(2 * steps_left))
        loss = self.lesson.learn(self.network, self.items(self.taken))
        if not math.isfinite(loss):
            return loss
        if self.plan.clip > 0:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        self.optimizer.step()
        self.network.merge()
        return loss

    def items(self, step: int) -> np.ndarray:
        """Return what a step reads: each reading goes through all items in an order of its own."""
        size = self.plan.batch_size
        reading, place = divmod(step, -(-len(self.lesson) // size))
        order = np.random.default_rng([self.seed, reading]).permutation(len(self.lesson))
        return np.asarray(order[place * size : (place + 1) * size])

    def timed(self) -> float:
        """Return the seconds of a step, without taking one."""
        taken = []
        for step in range(2):
            began = time.perf_counter()
            self.lesson.learn(self.network, self.items(step))
            self.network.merge()
            taken.append(time.perf_counter() - began)
        self.network.zero_grad(set_to_none=True)
        return min(taken)

    def _look(self) -> None:
        """Note the losses since the last look and that on the validation part; keep the adapters where it is best."""
        self.train_loss.append(float(np.mean(self.losses)))
        self.losses.clear()
        if self.valid is None:
            return
        loss = self.valid.judge(self.network)
        self.valid_loss.append(loss)
        if self.best is None or loss < self.best[0]:
            self.best = (loss, self.taken, values_of(self.network))

    def _state(self) -> dict[str, object]:
        """Return all that training goes on from, in types that load without running code."""
        return {
            "plan": dict(self.settings),
            "adapters": values_of(self.network),
            "optimizer": self.optimizer.state_dict(),
            "taken": self.taken,
            "looks": self.looks,
            "seconds_a_step": self.seconds_a_step,
            "done": self.progress.done,
            "curves": (self.losses, self.train_loss, self.valid_loss),
            "best": self.best,
            "left": self.clock.left(),
        }

    def resume(self) -> bool:
        """Take up the state of a checkpoint; tell whether there was one."""
        kept = None if self.checkpoints is None else self.checkpoints.load()
        if kept is None:
            return False
        self.network.load_state_dict(kept["adapters"], strict=False)
        self.network.merge()
        self.optimizer.load_state_dict(kept["optimizer"])
        self.taken, self.progress, self.best = kept["taken"], Progress(kept["done"]), kept["best"]
        self.losses, self.train_loss, self.valid_loss = kept["curves"]
        self.looks, self.seconds_a_step = kept["looks"], kept["seconds_a_step"]
        self.is_over = bool(kept.get("over", False))
        # The next lesson has its own share of the time: what was left of this one's is all it may have.
        self.clock = Clock(min(self.clock.deadline, Clock.after(kept["left"]).deadline))
        return True
