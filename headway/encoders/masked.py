"""Masked-language pretraining of an encoder on texts without labels (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from headway.compute.clock import Clock
from headway.encoders.opening import Encoder
from headway.networks.batches import Sequences, parts_of, shuffled
from headway.networks.checkpoints import Checkpoints, values_of
from headway.networks.device import autocast, best_device, seeded
from headway.networks.plan import Plan

# Of the tokens that are hidden: this share is shown as the mask, this as another token, the rest as it is.
_MASKED, _OTHER = 0.8, 0.1
_CLIP = 1.0
_POINTS = 40


@dataclass(frozen=True)
class Course:
    """How long and how fast: `steps` of `rows` texts each; the rate rises over `warmup` of them and falls as a cosine.

    `hidden`: the share of tokens to guess. `special`: ids that are never hidden. `words`: the table of tokens learns
    too, which an encoder from scratch needs.
    """

    steps: int
    rows: int
    learning_rate: float
    mask_id: int
    special: tuple[int, ...]
    words: bool = False
    hidden: float = 0.15
    warmup: float = 0.06
    weight_decay: float = 0.01
    tokens: int = 4_096

    def rate(self, step: int) -> float:
        """Return the rate of a step."""
        rising = max(1, round(self.warmup * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, self.steps - rising)))


class Guesser(nn.Module):
    """An encoder and a head that guesses hidden tokens from the states at their places.

    Guesses are among the `known` ids (`[k]`, those that occur): a table of a quarter of a million tokens would take
    more time than the encoder. The table of tokens is also the head's (Press and Wolf 2017).
    """

    def __init__(self, encoder: Encoder, known: np.ndarray, *, words: bool) -> None:
        """Let all of `encoder` learn, its table of tokens only with `words`."""
        super().__init__()
        self.encoder = encoder
        encoder.requires_grad_(requires_grad=True)
        self.table: nn.Embedding = encoder.backbone.get_input_embeddings()  # type: ignore[operator]
        self.table.weight.requires_grad_(requires_grad=words)
        self.dense = nn.Linear(encoder.hidden, encoder.hidden)
        self.norm = nn.LayerNorm(encoder.hidden)
        self.bias = nn.Parameter(torch.zeros(len(known)))
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        self.known: Tensor
        self.register_buffer("known", torch.from_numpy(known.astype(np.int64)))

    def forward(self, ids: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """Return logits `[guesses, k]`; `places` is bool, like `ids`."""
        states = self.encoder.states(ids, mask)[places]
        shaped = self.norm(nn.functional.gelu(self.dense(states)))
        logits: Tensor = shaped @ self.table.weight[self.known].T + self.bias
        return logits


def pretrain(
    encoder: Encoder, tokens: Sequences, course: Course, *, seed: int, clock: Clock, checkpoints: Checkpoints
) -> tuple[float, ...]:
    """Train `encoder` in place to guess hidden tokens; return the mean loss (nats a token) of each part of the course.

    A run that was killed goes on from its last checkpoint to the same end: what is hidden depends on the seed and the
    step alone. Where the clock runs out first, the encoder is what it has become by then.
    """
    device = best_device()
    known = np.unique(tokens.flat)
    with seeded(seed):
        guesser = Guesser(encoder, known, words=course.words).to(device).train()
    optimiser = torch.optim.AdamW(_groups(guesser, course), lr=course.learning_rate, betas=(0.9, 0.98))
    state = checkpoints.load()
    losses: list[float] = []
    start = 0
    if state is not None:
        guesser.load_state_dict(state["values"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        start, losses = state["step"], state["losses"]
    lesson = _Lesson(tokens, known, course, seed)
    for step in range(start, course.steps):
        if clock.expired:
            break
        losses.append(_step(guesser, optimiser, lesson, step))
        if checkpoints.is_due():
            kept = {"values": values_of(guesser), "optimiser": optimiser.state_dict(), "step": step + 1}
            checkpoints.save({**kept, "losses": losses})
    encoder.cpu().eval().requires_grad_(requires_grad=False)
    return _points(losses)


@dataclass(eq=False)
class _Lesson:
    """What there is to guess; the texts of a step and what is hidden of them depend on the seed and the step alone.

    `latest`: the number of the last pass over the texts, and its batches.
    """

    tokens: Sequences
    known: np.ndarray
    course: Course
    seed: int
    latest: tuple[int, list[np.ndarray]] = field(default=(-1, []))

    @cached_property
    def steps(self) -> int:
        """Return how many steps one pass over the texts takes."""
        return len(self._pass(0))

    def parts(self, step: int) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Return the texts of a step in parts that fit the memory: see `_hidden`."""
        number, place = divmod(step, self.steps)
        rows = self._pass(number)[place]
        generator = np.random.default_rng([self.seed, step])
        return [_hidden(self, part, generator) for part in parts_of(self.tokens, rows, self.course.tokens)]

    def _pass(self, number: int) -> list[np.ndarray]:
        if self.latest[0] != number:
            generator = np.random.default_rng([self.seed, number])
            self.latest = number, shuffled(self.tokens, self.course.rows, generator)
        return self.latest[1]


def _step(guesser: Guesser, optimiser: torch.optim.Optimizer, lesson: _Lesson, step: int) -> float:
    """Take one step and return its mean loss; a long batch is taken in parts, their gradients added up."""
    for group in optimiser.param_groups:
        group["lr"] = lesson.course.rate(step)
    device = guesser.bias.device
    parts = lesson.parts(step)
    guesses = max(1, sum(len(truth) for *_, truth in parts))
    total = 0.0
    with seeded(lesson.seed * 1_000_003 + step):
        for ids, mask, places, truth in parts:
            if not len(truth):
                continue
            with autocast(device, Plan()):
                logits = guesser(ids.to(device), mask.to(device), places.to(device))
            loss = nn.functional.cross_entropy(logits.float(), truth.to(device), reduction="sum") / guesses
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
    nn.utils.clip_grad_norm_(guesser.parameters(), _CLIP)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total


def _hidden(lesson: _Lesson, rows: np.ndarray, generator: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ids of `rows` with some hidden, their mask, where they are, and what they were (places in `known`)."""
    ids, mask = lesson.tokens.batch(rows, None)
    course, plain = lesson.course, ids.numpy()
    places = (generator.random(plain.shape) < course.hidden) & (mask.numpy() > 0) & ~np.isin(plain, course.special)
    kind = generator.random(plain.shape)
    shown = plain.copy()
    shown[places & (kind < _MASKED)] = course.mask_id
    other = places & (kind >= _MASKED) & (kind < _MASKED + _OTHER)
    shown[other] = generator.choice(lesson.known, int(other.sum()))
    truth = np.searchsorted(lesson.known, plain[places])
    return torch.from_numpy(shown), mask, torch.from_numpy(places), torch.from_numpy(truth.astype(np.int64))


def _groups(guesser: Guesser, course: Course) -> list[dict[str, object]]:
    """Return what learns: matrices with weight decay, biases and norms without."""
    learning = [parameter for parameter in guesser.parameters() if parameter.requires_grad]
    return [
        {"params": [each for each in learning if each.ndim > 1], "weight_decay": course.weight_decay},
        {"params": [each for each in learning if each.ndim <= 1], "weight_decay": 0.0},
    ]


def _points(losses: list[float]) -> tuple[float, ...]:
    """Return the means of some consecutive parts."""
    parts = np.array_split(np.array(losses), min(_POINTS, max(1, len(losses))))
    return tuple(float(part.mean()) for part in parts if len(part))
