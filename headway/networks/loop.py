"""One training run, step by step: `fit_loop -> run_epoch -> train_step`, in the shape of skorch's `NeuralNet`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.networks import losses, timing
from headway.networks.batches import Lesson, parts_of, shuffled
from headway.networks.checkpoints import Checkpoints, Values, values_of
from headway.networks.device import autocast
from headway.networks.mixout import mixing
from headway.networks.optimizing import Progress, decayed, optimizer_of, rate, set_rate
from headway.networks.plan import Plan
from headway.networks.trained import Trained, outputs_of
from headway.tasks import Task

# Share of the time that is held back, for export and noisy neighbours.
RESERVE = 0.06


@dataclass
class Run:
    """The state of one training run."""

    network: nn.Module
    lesson: Lesson
    valid: Lesson | None
    task: Task
    plan: Plan
    clock: Clock
    generator: np.random.Generator
    pace: timing.Pace = field(default_factory=lambda: timing.Pace(0.0, 0.0))
    checkpoints: Checkpoints | None = None
    last_epoch: int | None = None
    progress: Progress = field(default_factory=Progress)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    best: tuple[tuple[float, float], int, Values] | None = None

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        self.scale = scale_of(self.lesson.y, self.task)
        self.y = self._targets(self.lesson)
        self.weight = torch.from_numpy(losses.row_weights(self.lesson.y, self.lesson.weight, self.task, self.plan))
        own = self.network if isinstance(self.network, losses.SelfTaught) else None
        self.loss = own.row_loss if own else losses.row_loss(self.plan, smoothing=self.plan.label_smoothing)
        self.optimizer = optimizer_of(self.network, self.plan)
        self.mixed = mixing(self.network, self.plan.mixout)
        self.schedule = self.plan.epochs
        self.reserve = 0.0 if math.isinf(self.clock.deadline) else RESERVE * self.clock.left()
        self.steps = 0
        self.began = time.perf_counter()
        self.steps_an_epoch = len(shuffled(self.lesson.source, self.plan.batch_size, np.random.default_rng(0)))
        # Of the epoch that runs: the generator's state before it, the steps behind, their loss times rows, and rows.
        self.order: dict[str, object] = {}
        self.behind, self.total, self.rows = 0, 0.0, 0
        self.steps_before = 0

    def _targets(self, lesson: Lesson) -> Tensor:
        return torch.from_numpy(losses.targets_of(lesson.y, self.task, self.scale))

    def fit_loop(self) -> None:
        """Run epochs until the plan, the patience or the clock ends; go on where a killed run stopped."""
        self._resume()
        self._examine_start()
        self.began = time.perf_counter()
        # An epoch whose last step a killed run had done still wants its validation.
        while (self.steps_left() > 0 or self.rows > 0) and not (self._has_waited_enough() or self._is_replayed()):
            self.run_epoch()
        if not (self.train_loss or self.plan.solved):
            raise TrainingError(
                "the time ended before the first training step",
                expected="time for at least one step",
                got=f"{self.clock.left():.1f} s left",
                fix="raise budget.time, or leave this candidate out",
            )
        self.schedule = self._schedule()
        if self.best is not None:
            self.network.load_state_dict(self.best[2], strict=False)

    def run_epoch(self) -> None:
        """Visit every row once, or as many as the clock allows, then validate."""
        self.network.train()
        for positions in self._batches():
            steps_left = self.steps_left()
            if steps_left == 0:
                break
            self._set_rate(steps_left)
            self.total += self.train_step(positions) * len(positions)
            self.rows += len(positions)
            self.progress = self.progress.advanced(steps_left)
            self.steps += 1
            self.behind += 1
            self._keep()
        if self.rows == 0:
            return
        self.train_loss.append(self.total / self.rows)
        self.behind, self.total, self.rows = 0, 0.0, 0
        if self.valid is not None and not (self.clock.expired and self.best is not None):
            began = time.perf_counter()
            self._keep_if_best(*self.validate(self.valid))
            self.pace = replace(self.pace, validation=time.perf_counter() - began)

    def steps_left(self) -> int:
        """Return how many more steps there will be: the plan's, or fewer where the time is short."""
        wanted = self.plan.epochs * self.steps_an_epoch - self.steps
        if math.isinf(self.clock.deadline) or wanted == 0:
            return wanted
        time_left = self.clock.left() - self.reserve - self.pace.validation
        fitting = math.floor(time_left / max(self._seconds_a_step(), 1e-9))
        return max(0, min(wanted, fitting))

    def train_step(self, positions: np.ndarray) -> float:
        """Take one step down the gradient; returns the mean loss of the batch."""
        self.optimizer.zero_grad()
        total = 0.0
        with self.mixed():
            for part in parts_of(self.lesson.source, positions, self.plan.tokens):
                loss = self.loss_of(part) * (len(part) / len(positions))
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.item()
        if self.plan.l1 > 0:
            penalty = self.plan.l1 * torch.stack([weight.abs().sum() for weight in decayed(self.network)]).sum()
            penalty.backward()  # type: ignore[no-untyped-call]
            total += penalty.item()
        if self.plan.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        self.optimizer.step()
        return self._checked(total)

    def loss_of(self, positions: np.ndarray) -> Tensor:
        """Return the mean loss of some rows."""
        augment = self.generator if self.plan.augment else None
        batch = tuple(argument.to(self.device) for argument in self.lesson.source.batch(positions, augment))
        rows = torch.from_numpy(positions)
        y, weight = self.y[rows].to(self.device), self.weight[rows].to(self.device)
        with autocast(self.device, self.plan):
            outputs = self.network(*batch)
        loss = self.loss(outputs.float(), y)
        if self.plan.r_drop > 0:
            with autocast(self.device, self.plan):
                again = self.network(*batch)
            alike = losses.apart(outputs.float(), again.float())
            loss = (loss + self.loss(again.float(), y)) / 2 + self.plan.r_drop / 2 * alike
        return (loss * weight).mean()

    @torch.inference_mode()
    def validate(self, valid: Lesson) -> tuple[float, float]:
        """Return the mean loss and, for classification, the error rate (else the loss again) on `valid`.

        A network that is `SelfJudged` has an error of its own.
        """
        with autocast(self.device, self.plan):
            outputs = outputs_of(self.network, valid.source, self.device).to(self.device)
        # On the device, where what a network's own loss has learnt lies.
        y = self._targets(valid).to(self.device)
        own = self.network if isinstance(self.network, losses.SelfJudged) else None
        weight = torch.from_numpy(losses.row_weights(valid.y, valid.weight, self.task, self.plan))
        loss = float((self.loss(outputs, y).cpu() * weight).mean())
        if own is not None:
            return loss, float((own.row_error(outputs, y).cpu() * weight).mean())
        if self.task.kind != "classify":
            return loss, loss
        return loss, float(((outputs.argmax(1) != y).cpu() * weight).mean())

    def trained(self, seconds: float) -> Trained:
        """Return the outcome."""
        best = self.best[1] if self.best is not None else len(self.train_loss)
        return Trained(
            network=self.network.cpu().eval(),
            task=self.task,
            plan=self.plan,
            scale=self.scale,
            epochs=self.schedule,
            best_epoch=min(best, self.schedule),
            train_loss=tuple(self.train_loss),
            valid_loss=tuple(self.valid_loss),
            error=tuple(self.error),
            seconds=seconds,
        )

    def _batches(self) -> list[np.ndarray]:
        """Return the batches of the next epoch, or what is left of the one that a killed run was in."""
        if self.behind == 0:
            self.order = dict(self.generator.bit_generator.state)
            return shuffled(self.lesson.source, self.plan.batch_size, self.generator)
        again = np.random.default_rng(0)
        again.bit_generator.state = self.order
        return shuffled(self.lesson.source, self.plan.batch_size, again)[self.behind :]

    def _keep(self) -> None:
        """Write a checkpoint where one is due."""
        if self.checkpoints is not None and self.checkpoints.is_due():
            self.checkpoints.save(self._state())

    def _state(self) -> dict[str, object]:
        """Return all that training goes on from, in types that load without running code."""
        return {
            "weights": values_of(self.network),
            "optimizer": self.optimizer.state_dict(),
            "generator": dict(self.generator.bit_generator.state),
            "torch": torch.random.get_rng_state(),
            "device": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
            "order": self.order,
            "epoch": (self.behind, self.total, self.rows),
            "steps": self.steps,
            "done": self.progress.done,
            "curves": (self.train_loss, self.valid_loss, self.error),
            "best": self.best,
        }

    def _resume(self) -> None:
        """Take up the state of a checkpoint, where there is one."""
        state = None if self.checkpoints is None else self.checkpoints.load()
        if state is None:
            return
        self.network.load_state_dict(state["weights"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.bit_generator.state = state["generator"]
        torch.random.set_rng_state(state["torch"])
        if self.device.type == "cuda" and state["device"] is not None:
            torch.cuda.set_rng_state(state["device"])
        self.order, (self.behind, self.total, self.rows) = state["order"], state["epoch"]
        self.steps = self.steps_before = state["steps"]
        self.progress = Progress(state["done"])
        self.train_loss, self.valid_loss, self.error = state["curves"]
        self.best = state["best"]

    def _checked(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise TrainingError(
            f"the loss became {loss} in epoch {len(self.train_loss) + 1}",
            expected="a finite loss",
            got=f"learning rate {self.plan.learning_rate:g}, optimizer {self.plan.optimizer}",
            fix="lower training.learning_rate, or set training.clip to 1",
        )

    def _set_rate(self, steps_left: int) -> None:
        set_rate(self.optimizer, rate(self.plan, self.progress.advanced(2 * steps_left), step=self.steps))

    def _examine_start(self) -> None:
        """Count the network as it was built as epoch 0, where it is a candidate and nothing has been done yet."""
        fresh = self.best is None and self.steps == 0
        if self.plan.solved and self.plan.early_stopping > 0 and self.valid is not None and fresh:
            loss, error = self.validate(self.valid)
            self.best = (self._score(loss, error), 0, values_of(self.network))

    def _keep_if_best(self, loss: float, error: float) -> None:
        self.valid_loss.append(loss)
        self.error.append(error)
        if self.plan.early_stopping <= 0:
            return
        score = self._score(loss, error)
        if self.best is None or score < self.best[0]:
            self.best = (score, len(self.train_loss), values_of(self.network))

    def _score(self, loss: float, error: float) -> tuple[float, float]:
        """Return what early stopping wants small."""
        return (loss, loss) if self.plan.criterion == "loss" else (error, loss)

    def _has_waited_enough(self) -> bool:
        if self.best is None or self.plan.early_stopping <= 0:
            return False
        return len(self.train_loss) - self.best[1] >= self.plan.early_stopping

    def _is_replayed(self) -> bool:
        """Tell whether the epoch to end at is behind, moved in proportion where the clock cut the plan."""
        if not self.last_epoch:
            return self.last_epoch == 0
        ends = self.last_epoch * self._schedule() / self.plan.epochs
        return len(self.train_loss) >= max(1, round(ends))

    def _schedule(self) -> int:
        """Return the length of the schedule in epochs, as it looks now."""
        return max(1, round((self.steps + self.steps_left()) / self.steps_an_epoch))

    def _seconds_a_step(self) -> float:
        """Return the mean seconds of a step with its share of validation; the probe counts as a few steps."""
        taken = time.perf_counter() - self.began
        share = self.pace.validation / self.steps_an_epoch
        steps = self.steps - self.steps_before
        return ((self.pace.step + share) * timing.PROBE_STEPS + taken) / (timing.PROBE_STEPS + steps)


def scale_of(y: np.ndarray, task: Task) -> tuple[float, float]:
    """Return the mean and standard deviation of regression targets; (0, 1) for other tasks."""
    if task.kind != "regress":
        return 0.0, 1.0
    return float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64)) or 1.0
