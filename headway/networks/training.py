"""Train a network, or say what that would cost; the loop itself is in `loop`.

It obeys a clock: the first steps are timed on a copy of the network, and before every step the schedule is fitted to
the steps that the time left allows at the speed seen so far, never to more than the plan's. Without a deadline, or with
time to spare, the same seed gives the same network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from headway.compute.clock import Clock
from headway.compute.memory import release_memory
from headway.networks import timing
from headway.networks.batches import Lesson, Source, sequential, shuffled
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import best_device, has_bfloat16, limited, seeded
from headway.networks.loop import Run, scale_of
from headway.networks.optimizing import set_rate
from headway.networks.plan import Plan, Precision
from headway.networks.trained import EVALUATION_BATCH, EVALUATION_TOKENS, Trained, predict
from headway.tasks import Task

__all__ = ["Build", "Trained", "estimated", "predict", "probe", "scale_of", "train"]

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
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Build a network and train it on `lesson`.

    With `valid` and `plan.early_stopping`, stop after that many epochs without a new best and keep the best weights.
    `settings` (of an earlier `Trained`) fix the number of epochs and the one to end at, 0 for the network as built.
    With `checkpoints` a run that was killed goes on from the last one: where time does not press, to the same network
    as without the kill. Raises `TrainingError` when the loss stops being a number, or when the clock leaves no time
    for a single step of a network that is not solved.
    """
    plan = replay(plan, settings)
    if not math.isinf(clock.deadline):
        plan = replace(plan, threads=threads_for(build, lesson, task, plan, seed=seed))
    with seeded(seed), limited(plan.threads):
        network = build().to(best_device())
        run = Run(network, lesson, valid, task, plan, clock, np.random.default_rng(seed), checkpoints=checkpoints)
        run.last_epoch = as_int(settings, "best_epoch", 0) if "best_epoch" in (settings or {}) else None
        if not math.isinf(clock.deadline):
            run.plan = replace(plan, precision=precision_for(network, lesson, task, plan))
            run.pace = probe(network, lesson, valid, task, run.plan)
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


def precision_for(network: nn.Module, lesson: Lesson, task: Task, plan: Plan) -> Precision:
    """Return the plan's precision, or full precision where a CPU that has bfloat16 is not faster with it."""
    device = next(network.parameters()).device
    if plan.precision == "float32" or device.type != "cpu" or not has_bfloat16(device):
        return plan.precision
    reduced = probe(network, lesson, None, task, plan).step
    full = probe(network, lesson, None, task, replace(plan, precision="float32")).step
    return "auto" if reduced < full else "float32"


def probe(network: nn.Module, lesson: Lesson, valid: Lesson | None, task: Task, plan: Plan) -> timing.Pace:
    """Time training steps and one batch of validation on a copy of `network`."""
    with torch.random.fork_rng():
        run = Run(timing.copied(network), lesson, valid, task, plan, Clock(), np.random.default_rng(0))
        run.network.train()
        set_rate(run.optimizer, 0.0)
        batches = shuffled(lesson.source, plan.batch_size, np.random.default_rng(0))
        step = timing.timed_steps(lambda index: run.train_step(batches[index % len(batches)]))
        if valid is None or len(valid) == 0:
            return timing.Pace(step, 0.0)
        few = sequential(valid.source, EVALUATION_BATCH, EVALUATION_TOKENS)
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

    Memory counts weights; gradients, two optimiser moments and the kept best of those that learn; and activations by
    what a step added to the process.
    """
    import psutil

    plan = replace(plan, threads=threads_for(build, lesson, task, plan, seed=seed))
    with seeded(seed), limited(plan.threads):
        release_memory()  # or what an earlier probe left would hide what this one takes
        process = psutil.Process()
        before = process.memory_info().rss
        network = build().to(best_device())
        pace = probe(network, lesson, None, task, plan)
        added = max(0, process.memory_info().rss - before) / 1e6
    sizes = [(p.numel() * p.element_size() / 1e6) * (5 if p.requires_grad else 1) for p in network.parameters()]
    seconds = plan.epochs * math.ceil(rows / plan.batch_size) * pace.step * 1.1
    return seconds, sum(sizes) + max(added, 50.0) + WORKSPACE_MB
