"""The training loop: `train -> fit_loop -> run_epoch -> train_step`, in the shape of skorch's `NeuralNet`.

It obeys a clock: the first steps are timed on a copy of the network, and before every step the schedule is fitted to
the steps that the time left allows at the speed seen so far, never to more than the plan's. Without a deadline, or with
time to spare, the same seed gives the same network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.networks import losses, timing
from headway.networks.batches import Lesson, Source, sequential, shuffled
from headway.networks.device import autocast, best_device, limited, seeded
from headway.networks.optimizing import Progress, decayed, optimizer_of, rate
from headway.networks.plan import Plan
from headway.networks.trained import EVALUATION_BATCH, Trained, outputs_of, predict
from headway.tasks import Task

__all__ = ["Build", "Trained", "estimated", "predict", "probe", "train"]

# Share of the time that is held back, for export and noisy neighbours.
RESERVE = 0.06
# What torch takes beyond weights and activations while it trains, measured on text networks (300 to 500 MB).
WORKSPACE_MB = 300.0

# So many times slower than one thread are all of them where the machine has other work; alone they are never slower.
CROWDED = 1.5

Build = Callable[[], nn.Module]


def train(
    build: Build,
    lesson: Lesson,
    valid: Lesson | None,
    task: Task,
    plan: Plan,
    *,
    seed: int,
    clock: Clock,
    settings: Mapping[str, object] | None = None,
) -> Trained:
    """Build a network and train it on `lesson`.

    With `valid` and `plan.early_stopping`, stop after that many epochs without a new best and keep the best weights.
    `settings` (of an earlier `Trained`) fix the number of epochs and the one to end at. Raises `TrainingError` when
    the loss stops being a number, or when the clock leaves no time for a single step.
    """
    plan = replay(plan, settings)
    if not math.isinf(clock.deadline):
        plan = replace(plan, threads=threads_for(build, lesson, task, plan, seed=seed))
    with seeded(seed), limited(plan.threads):
        network = build().to(best_device())
        run = _Run(network, lesson, valid, task, plan, clock, np.random.default_rng(seed))
        run.last_epoch = as_int(settings, "best_epoch", 0)
        began = time.perf_counter()
        run.fit_loop()
    return run.trained(time.perf_counter() - began)


def replay(plan: Plan, settings: Mapping[str, object] | None) -> Plan:
    """Return the plan with the number of epochs of an earlier run."""
    return replace(plan, epochs=as_int(settings, "epochs", plan.epochs))


def as_int(settings: Mapping[str, object] | None, name: str, default: int) -> int:
    """Return a whole number out of settings, which may have travelled through JSON."""
    value = (settings or {}).get(name, default)
    return int(value) if isinstance(value, (int, float)) else default


def scale_of(y: np.ndarray, task: Task) -> tuple[float, float]:
    """Return the mean and standard deviation of regression targets; (0, 1) for classification."""
    if task.kind == "classify":
        return 0.0, 1.0
    return float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64)) or 1.0


@dataclass
class _Run:
    """The state of one training run."""

    network: nn.Module
    lesson: Lesson
    valid: Lesson | None
    task: Task
    plan: Plan
    clock: Clock
    generator: np.random.Generator
    last_epoch: int = 0
    progress: Progress = field(default_factory=Progress)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    best: tuple[tuple[float, float], int, dict[str, Tensor]] | None = None

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        self.scale = scale_of(self.lesson.y, self.task)
        self.y = self._targets(self.lesson)
        self.weight = torch.from_numpy(losses.row_weights(self.lesson.y, self.lesson.weight, self.task, self.plan))
        self.loss = losses.row_loss(self.plan, smoothing=self.plan.label_smoothing)
        self.optimizer = optimizer_of(self.network, self.plan)
        self.schedule = self.plan.epochs
        self.pace = timing.Pace(0.0, 0.0)
        self.reserve = 0.0 if math.isinf(self.clock.deadline) else RESERVE * self.clock.left()
        self.steps = 0
        self.began = time.perf_counter()
        self.steps_an_epoch = len(shuffled(self.lesson.source, self.plan.batch_size, np.random.default_rng(0)))

    def _targets(self, lesson: Lesson) -> Tensor:
        if self.task.kind == "classify":
            return torch.from_numpy(lesson.y.astype(np.int64))
        return torch.from_numpy(((lesson.y - self.scale[0]) / self.scale[1]).astype(np.float32))

    def fit_loop(self) -> None:
        """Run epochs until the plan, the patience or the clock ends."""
        self._measure_pace()
        self.began = time.perf_counter()
        while self.steps_left() > 0 and not (self._has_waited_enough() or self._is_replayed()):
            self.run_epoch()
        if not self.train_loss:
            raise TrainingError(
                "the time ended before the first training step",
                expected="time for at least one step",
                got=f"{self.clock.left():.1f} s left",
                fix="raise budget.time, or leave this candidate out",
            )
        self.schedule = self._schedule()
        if self.best is not None:
            self.network.load_state_dict(self.best[2])

    def run_epoch(self) -> None:
        """Visit every row once, or as many as the clock allows, then validate."""
        self.network.train()
        total, rows = 0.0, 0
        for positions in shuffled(self.lesson.source, self.plan.batch_size, self.generator):
            steps_left = self.steps_left()
            if steps_left == 0:
                break
            self._set_rate(steps_left)
            total += self.train_step(positions) * len(positions)
            rows += len(positions)
            self.progress = self.progress.advanced(steps_left)
            self.steps += 1
        if rows == 0:
            return
        self.train_loss.append(total / rows)
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
        augment = self.generator if self.plan.augment else None
        batch = tuple(argument.to(self.device) for argument in self.lesson.source.batch(positions, augment))
        rows = torch.from_numpy(positions)
        y, weight = self.y[rows].to(self.device), self.weight[rows].to(self.device)
        with autocast(self.device, self.plan):
            outputs = self.network(*batch)
        loss = (self.loss(outputs.float(), y) * weight).mean()
        self.optimizer.zero_grad(set_to_none=True)
        self._with_penalty(loss).backward()  # type: ignore[no-untyped-call]
        if self.plan.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        self.optimizer.step()
        return self._checked(loss.item())

    @torch.inference_mode()
    def validate(self, valid: Lesson) -> tuple[float, float]:
        """Return the mean loss and, for classification, the error rate (else the loss again) on `valid`."""
        with autocast(self.device, self.plan):
            outputs = outputs_of(self.network, valid.source, self.device)
        y = self._targets(valid)
        weight = torch.from_numpy(losses.row_weights(valid.y, valid.weight, self.task, self.plan))
        loss = float((self.loss(outputs, y) * weight).mean())
        if self.task.kind != "classify":
            return loss, loss
        return loss, float(((outputs.argmax(1) != y) * weight).mean())

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

    def _with_penalty(self, loss: Tensor) -> Tensor:
        if self.plan.l1 <= 0:
            return loss
        return loss + self.plan.l1 * torch.stack([weight.abs().sum() for weight in decayed(self.network)]).sum()

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
        middle = self.progress.advanced(2 * steps_left)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.plan, middle)

    def _keep_if_best(self, loss: float, error: float) -> None:
        self.valid_loss.append(loss)
        self.error.append(error)
        if self.plan.early_stopping <= 0:
            return
        score = (loss, loss) if self.plan.criterion == "loss" else (error, loss)
        if self.best is None or score < self.best[0]:
            state = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
            self.best = (score, len(self.train_loss), state)

    def _has_waited_enough(self) -> bool:
        if self.best is None or self.plan.early_stopping <= 0:
            return False
        return len(self.train_loss) - self.best[1] >= self.plan.early_stopping

    def _is_replayed(self) -> bool:
        """Tell whether the epoch to end at is behind, moved in proportion where the clock cut the plan."""
        ends = self.last_epoch * self._schedule() / self.plan.epochs
        return self.last_epoch > 0 and len(self.train_loss) >= max(1, round(ends))

    def _schedule(self) -> int:
        """Return the length of the schedule in epochs, as it looks now."""
        return max(1, round((self.steps + self.steps_left()) / self.steps_an_epoch))

    def _measure_pace(self) -> None:
        if not math.isinf(self.clock.deadline):
            self.pace = probe(self.network, self.lesson, self.valid, self.task, self.plan)

    def _seconds_a_step(self) -> float:
        """Return the mean seconds of a step with its share of validation; the probe counts as a few steps."""
        taken = time.perf_counter() - self.began
        share = self.pace.validation / self.steps_an_epoch
        return ((self.pace.step + share) * timing.PROBE_STEPS + taken) / (timing.PROBE_STEPS + self.steps)


def threads_for(build: Build, lesson: Lesson, task: Task, plan: Plan, *, seed: int) -> int | None:
    """Return the plan's number of threads, or one where other processes hold the cores.

    Threads of one step wait for each other: where another process takes turns with one of them, a step on two threads
    was measured to take up to 290 times as long as alone, a step on one thread twice as long.
    """
    device = best_device()
    if plan.threads is not None or device.type != "cpu" or torch.get_num_threads() == 1:
        return plan.threads
    with seeded(seed):
        network = build().to(device)
        together = probe(network, lesson, None, task, plan).step
        with limited(1):
            alone = probe(network, lesson, None, task, plan).step
    return 1 if alone * CROWDED < together else None


def probe(network: nn.Module, lesson: Lesson, valid: Lesson | None, task: Task, plan: Plan) -> timing.Pace:
    """Time training steps and one batch of validation on a copy of `network`."""
    with torch.random.fork_rng():
        run = _Run(timing.copied(network), lesson, valid, task, plan, Clock(), np.random.default_rng(0))
        run.network.train()
        run.optimizer.param_groups[0]["lr"] = 0.0
        batches = shuffled(lesson.source, plan.batch_size, np.random.default_rng(0))
        step = timing.timed_steps(lambda index: run.train_step(batches[index % len(batches)]))
        if valid is None or len(valid) == 0:
            return timing.Pace(step, 0.0)
        few = sequential(valid.source, EVALUATION_BATCH)
        middle = few[len(few) // 2]
        part = Lesson(_Part(valid.source, middle), valid.y[middle])
        return timing.Pace(step, timing.timed_steps(lambda _: run.validate(part), steps=2) * len(few))


@dataclass(frozen=True)
class _Part:
    """Some rows of a source."""

    source: Source
    positions: np.ndarray

    @property
    def lengths(self) -> np.ndarray | None:
        return None if self.source.lengths is None else self.source.lengths[self.positions]

    def __len__(self) -> int:
        return len(self.positions)

    def batch(self, positions: np.ndarray, augment: np.random.Generator | None) -> tuple[Tensor, ...]:
        return self.source.batch(self.positions[positions], augment)


def estimated(build: Build, lesson: Lesson, rows: int, task: Task, plan: Plan, *, seed: int) -> tuple[float, float]:
    """Estimate the seconds and MB of training on `rows` rows like those of `lesson`, which may be a small sample.

    Memory counts weights, gradients, two optimiser moments and the kept best, and activations by what a step added
    to the process.
    """
    import psutil

    plan = replace(plan, threads=threads_for(build, lesson, task, plan, seed=seed))
    with seeded(seed), limited(plan.threads):
        process = psutil.Process()
        before = process.memory_info().rss
        network = build().to(best_device())
        pace = probe(network, lesson, None, task, plan)
        added = max(0, process.memory_info().rss - before) / 1e6
    weights = sum(p.numel() * p.element_size() for p in network.parameters()) / 1e6
    seconds = plan.epochs * math.ceil(rows / plan.batch_size) * pace.step * 1.1
    return seconds, 5 * weights + max(added, 50.0) + WORKSPACE_MB
