"""Train a generator against its critic: `fit_loop -> train_step`, under a clock, from checkpoint to checkpoint."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.gan.augmentation import changed
from headway.models.gan.network import Critic, Generator
from headway.models.gan.plan import Plan
from headway.networks.breaking import broken_off
from headway.networks.checkpoints import Checkpoints, Values, values_of
from headway.networks.device import has_bfloat16
from headway.networks.optimizing import Progress

# How often the pictures are looked at, how many of them, and how many of those are kept for the reader.
LOOKS, LOOK_PICTURES, SHOWN = 12, 1000, 40
# Looking may take this share of the time.
LOOKING_SHARE = 0.15
# Share of the time that is held back, for export and noisy neighbours.
RESERVE = 0.03
# What the latest step counts in the mean of their seconds.
LATEST = 0.05
# Adam's moments as Radford et al. 2016 found them, the second one shorter (Karras et al. 2018).
BETAS = (0.5, 0.99)
# The moving average forgets faster at the start, where the weights are far from any good (Karras et al. 2020).
AVERAGE_SHARE = 0.05
# Pictures that the averaged generator's norms are measured on (Brock et al. 2019, section 3.1: standing statistics).
STANDING = 512
# Of the real pictures' variety, less than this is a collapse, once it was more; two looks in a row end the training.
COLLAPSED, PATIENCE = 0.5, 2


@dataclass(frozen=True)
class Seen:
    """What a look at drawn pictures found: their distance from real ones, and their variety as a share of theirs."""

    distance: float
    variety: float


Watch = Callable[[np.ndarray], Seen]


@dataclass(frozen=True)
class Look:
    """One look at the averaged generator.

    `done`: the share of the training (0 to 1) behind it; `pictures`: real pictures the critic had seen; losses are
    means since the last look; `seen`: None where nobody watches; `shown`: uint8 `[n, height, width, colours]`.
    """

    done: float
    pictures: int
    critic_loss: float
    generator_loss: float
    seen: Seen | None
    shown: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Album:
    """Real pictures: uint8 `[n, height, width, colours]`, and int64 labels `[n]` from 0 below `classes`."""

    pixels: np.ndarray
    labels: np.ndarray
    classes: int

    def batch(self, first: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return the pictures `first` to `first + size` of endless readings, each in another order; -1 to 1."""
        rows = len(self.pixels)
        places = np.arange(first, first + size)
        chosen = np.empty(size, np.int64)
        for reading in np.unique(places // rows):
            mine = places // rows == reading
            chosen[mine] = order_of(rows, seed, int(reading))[places[mine] % rows]
        pixels = torch.from_numpy(self.pixels[chosen]).permute(0, 3, 1, 2)
        return pixels.float().div_(127.5).sub_(1), torch.from_numpy(self.labels[chosen])


@lru_cache(maxsize=2)
def order_of(rows: int, seed: int, reading: int) -> np.ndarray:
    """Return the order `[rows]` in which one reading takes the pictures."""
    return np.random.default_rng([seed, reading]).permutation(rows)


@dataclass
class Training:
    """The state of one training run; `average` is the generator that ships."""

    generator: Generator
    critic: Critic
    album: Album
    plan: Plan
    clock: Clock
    seed: int
    watch: Watch | None = None
    checkpoints: Checkpoints | None = None
    seconds_a_step: float = 0.0
    steps: int = 0
    progress: Progress = field(default_factory=Progress)
    losses: list[tuple[float, float]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    best: tuple[float, int, Values] | None = None
    # The progress at which the pictures are looked at next.
    due: float = 1 / LOOKS
    trouble: str = ""

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.generator).requires_grad_(requires_grad=False)
        rate = self.plan.learning_rate
        self.drawing = torch.optim.Adam(self.generator.parameters(), lr=rate, betas=BETAS, fused=True)
        self.judging = torch.optim.Adam(
            self.critic.parameters(), lr=rate * self.plan.critic_rate, betas=BETAS, fused=True
        )
        self.random = torch.Generator().manual_seed(self.seed)
        self.reserve = 0.0 if math.isinf(self.clock.deadline) else RESERVE * self.clock.left()
        self.reduced = self.plan.precision == "auto" and has_bfloat16(torch.device("cpu"))

    def fit_loop(self) -> None:
        """Take steps until the plan or the clock ends, or the pictures collapse; then return to the best look."""
        self._resume()
        while (left := self.steps_left()) > 0 and not self.trouble:
            began = time.perf_counter()
            self.losses.append(self.train_step(left))
            if not all(map(math.isfinite, self.losses[-1])):
                self.trouble = broken_off(
                    self.losses[-1][0], self.steps + 1,
                    kept=None if self.best is None else "the best generator before that was kept",
                    got=f"learning rate {self.plan.learning_rate:g}", fix="lower training.learning_rate",
                )  # fmt: skip
                break
            self.progress = self.progress.advanced(left)
            self.steps += 1
            taken = time.perf_counter() - began
            self.seconds_a_step += (taken - self.seconds_a_step) * (LATEST if self.seconds_a_step else 1.0)
            if self.progress.done >= self.due:
                self._look_in_time()
            if self.checkpoints is not None and self.checkpoints.is_due():
                self.checkpoints.save(self.state())
        if self.losses and not self.trouble:
            self._look()
        if not self.looks:
            raise TrainingError(
                "the time ended before a picture was drawn",
                expected="time for a few training steps",
                got=f"{self.clock.left():.1f} s left after {self.steps} steps",
                fix="raise budget.time",
            )
        if self.best is not None:
            self.average.load_state_dict(self.best[2])
        self.average.eval()

    def steps_left(self) -> int:
        """Return how many more steps there will be: the plan's, or fewer where the time is short."""
        wanted = self.plan.steps - self.steps
        if math.isinf(self.clock.deadline) or wanted <= 0:
            return max(0, wanted)
        return max(0, min(wanted, math.floor((self.clock.left() - self.reserve) / max(self.seconds_a_step, 1e-9))))

    def train_step(self, steps_left: int) -> tuple[float, float]:
        """Take one step of both networks; return the losses of critic and generator.

        Both gradients come from one pass through the critic (Shin et al. 2021, "Training generative adversarial
        networks in one stage", section 3): for each drawn picture they differ by a factor, that of their losses.
        """
        plan = self.plan
        self._set_rate(steps_left)
        real, labels = self.album.batch(self.steps * plan.batch_size, plan.batch_size, self.seed)
        self.generator.train()
        with self._precision():
            drawn = self.generator(self.noise(plan.batch_size), labels).float()
        given = drawn.detach().requires_grad_()
        self.judging.zero_grad(set_to_none=True)
        with self._precision():
            scores = self.critic(self._seen(torch.cat([real, given])), labels.repeat(2)).float()
        # Relativistic: a real picture shall seem more real than a drawn one of its class (Jolicoeur-Martineau 2019).
        lead = scores[: plan.batch_size] - scores[plan.batch_size :]
        critic_loss, generator_loss = functional.softplus(-lead).mean(), functional.softplus(lead).mean()
        critic_loss.backward()  # type: ignore[no-untyped-call]
        if self.steps % plan.penalty_every == 0:
            self._penalise(real, labels)
        self.judging.step()
        assert given.grad is not None
        factor = -torch.exp(lead.detach().clamp(-30, 30))
        self.drawing.zero_grad(set_to_none=True)
        drawn.backward(given.grad * factor[:, None, None, None])
        self.drawing.step()
        self._average()
        return critic_loss.item(), generator_loss.item()

    def noise(self, count: int) -> Tensor:
        """Return normal noise `[count, noise]`."""
        return torch.randn((count, self.plan.noise), generator=self.random)

    def _seen(self, pictures: Tensor) -> Tensor:
        return changed(pictures, self.random) if self.plan.augment else pictures

    def _precision(self) -> torch.autocast:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.reduced)

    def _penalise(self, real: Tensor, labels: Tensor) -> None:
        """Add the gradient of R1, in full precision: a critic that is steep at real pictures pushes too hard."""
        given = self._seen(real).detach().requires_grad_()
        scores = self.critic(given, labels)
        (slope,) = torch.autograd.grad(scores.sum(), given, create_graph=True)
        strength = self.plan.gradient_penalty / 2 * self.plan.penalty_every
        (slope.square().sum((1, 2, 3)).mean() * strength).backward()  # type: ignore[no-untyped-call]

    def _set_rate(self, steps_left: int) -> None:
        done = self.progress.advanced(2 * steps_left).done
        factor = min(1.0, (1 - done) / self.plan.cooling) if self.plan.cooling > 0 else 1.0
        for optimizer, share in ((self.drawing, 1.0), (self.judging, self.plan.critic_rate)):
            for group in optimizer.param_groups:
                group["lr"] = self.plan.learning_rate * share * factor

    @torch.no_grad()
    def _average(self) -> None:
        half = min(self.plan.average_pictures, max(1.0, AVERAGE_SHARE * (self.steps + 1) * self.plan.batch_size))
        kept = 0.5 ** (self.plan.batch_size / half)
        torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - kept)

    def _look_in_time(self) -> None:
        """Look at the pictures, and settle the next look: rarer where looking takes much of the time there is."""
        began, left = time.perf_counter(), self.clock.left() - self.reserve
        self._look()
        self.due = (len(self.looks) + 1) / LOOKS
        if not math.isinf(left) and left > 0:
            took = (time.perf_counter() - began) / left * (1 - self.progress.done)
            self.due = max(self.due, min(1.0, self.progress.done + took / LOOKING_SHARE))

    def _look(self) -> None:
        """Note the losses, draw some pictures and let them be seen; keep the weights where they are best."""
        settle_norms(self.average, self.plan, self.album.labels, self.seed)
        labels = spread_labels(self.album, LOOK_PICTURES if self.watch is not None else SHOWN, self.seed)
        pictures = draw(self.average, fixed_noise(len(labels), self.plan.noise, self.seed), labels)
        seen = None if self.watch is None else self.watch(pictures)
        critic, generator = np.mean(self.losses, axis=0)
        self.losses.clear()
        behind = self.steps * self.plan.batch_size
        self.looks.append(Look(self.progress.done, behind, float(critic), float(generator), seen, pictures[:SHOWN]))
        if seen is None:
            return
        if self.best is None or seen.distance < self.best[0]:
            kept = {name: value.detach().clone() for name, value in self.average.state_dict().items()}
            self.best = (seen.distance, len(self.looks) - 1, kept)
        recent = [look.seen.variety for look in self.looks[-PATIENCE:] if look.seen is not None]
        was_varied = any(look.seen is not None and look.seen.variety >= COLLAPSED for look in self.looks)
        if was_varied and len(recent) == PATIENCE and max(recent) < COLLAPSED:
            self.trouble = "the pictures collapsed to a few; the best generator before that was kept"

    def state(self) -> dict[str, object]:
        """Return all that training goes on from, in types that load without running code."""
        return {
            "plan": self.plan.settings,
            "threads": self.plan.threads,
            "seconds_a_step": self.seconds_a_step,
            "networks": [values_of(each) for each in (self.generator, self.critic)],
            "average": dict(self.average.state_dict()),
            "optimizers": [self.drawing.state_dict(), self.judging.state_dict()],
            "random": self.random.get_state(),
            "steps": self.steps,
            "done": self.progress.done,
            "losses": self.losses,
            "looks": [[*_figures(look), torch.from_numpy(look.shown)] for look in self.looks],
            "best": self.best,
            "due": self.due,
            "trouble": self.trouble,
        }

    def _resume(self) -> None:
        """Take up the state of a checkpoint, where there is one."""
        state = None if self.checkpoints is None else self.checkpoints.load()
        if state is None:
            return
        for network, values in zip((self.generator, self.critic, self.average),
                                   (*state["networks"], state["average"]), strict=True):  # fmt: skip
            network.load_state_dict(values)
        for optimizer, kept in zip((self.drawing, self.judging), state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.random.set_state(state["random"])
        self.steps, self.progress, self.losses = state["steps"], Progress(state["done"]), state["losses"]
        self.seconds_a_step = state["seconds_a_step"]
        self.looks = [_look_of(kept) for kept in state["looks"]]
        self.best, self.due, self.trouble = state["best"], state["due"], state["trouble"]


def draw(generator: Generator, noise: Tensor, labels: np.ndarray, *, at_once: int = 256) -> np.ndarray:
    """Return uint8 pictures `[n, height, width, colours]`."""
    generator.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(noise), at_once):
            some = torch.from_numpy(labels[start : start + at_once])
            pictures = generator(noise[start : start + at_once], some).permute(0, 2, 3, 1)
            parts.append(pictures.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).numpy())
    return np.concatenate(parts)


def settle_norms(generator: Generator, plan: Plan, labels: np.ndarray, seed: int) -> None:
    """Measure the norms of a generator anew: an average of weights has other activations than any of them."""
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    random = np.random.default_rng([seed, 1])
    noise = fixed_noise(STANDING, plan.noise, seed + 1)
    generator.train()
    with torch.no_grad():
        for start in range(0, len(noise), plan.batch_size):
            part = noise[start : start + plan.batch_size]
            generator(part, torch.from_numpy(random.choice(labels, len(part))))
    for norm in norms:
        norm.momentum = 0.1
    generator.eval()


def spread_labels(album: Album, count: int, seed: int) -> np.ndarray:
    """Return labels as frequent as among the real pictures; the first `SHOWN` are all classes in turn."""
    drawn = np.random.default_rng([seed, 2]).choice(album.labels, count)
    shown = min(SHOWN, count)
    drawn[:shown] = np.sort(np.arange(shown) % album.classes)
    return np.asarray(drawn, np.int64)


def fixed_noise(count: int, width: int, seed: int) -> Tensor:
    """Return the same noise `[count, width]` for the same seed: looks are compared with each other."""
    return torch.randn((count, width), generator=torch.Generator().manual_seed(seed))


def timed(training: Training, *, steps: int = 3) -> float:
    """Return the seconds of a step, measured on copies of the networks."""
    plan = replace(training.plan, steps=10**9)
    probe = Training(
        copy.deepcopy(training.generator), copy.deepcopy(training.critic), training.album, plan, Clock(), 0
    )
    taken = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        probe.train_step(10**9)
        probe.steps += 1
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[1:]))


def _figures(look: Look) -> list[object]:
    seen = None if look.seen is None else (look.seen.distance, look.seen.variety)
    return [look.done, look.pictures, look.critic_loss, look.generator_loss, seen]


def _look_of(kept: list[object]) -> Look:
    done, pictures, critic, generator, seen, shown = kept
    return Look(done, pictures, critic, generator, None if seen is None else Seen(*seen), shown.numpy())  # type: ignore[arg-type, misc, attr-defined]
