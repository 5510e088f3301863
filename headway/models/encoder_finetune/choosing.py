"""What of the encoder learns, and how: the deepest that fits the time and the memory."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from headway.encoders.depth import layers_of
from headway.encoders.opening import Encoder
from headway.encoders.tuned import Method, Tuned
from headway.errors import TrainingError
from headway.networks.device import autocast, best_device
from headway.networks.plan import Plan
from headway.networks.timing import copied, timed_steps
from headway.tasks.recipe import Recipe

# Tokens of a part of a step: more gain no speed on a CPU.
MOST_TOKENS = 4_096
# What a weight that learns takes: itself, its gradient, two moments, the kept best; with mixout three more numbers.
WEIGHT_BYTES, MIXED_BYTES = 20, 32
# What torch and its libraries take beside weights and activations.
WORKSPACE_MB = 500.0
# Shares of the layers to choose from, deepest first.
SHARES = (1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6)
# Of the planned epochs, those that are enough for the sake of more layers.
FEWER_EPOCHS = 2 / 3
# Tokens that the speed is measured on.
PROBE_TOKENS, PROBE_LENGTH = 1_024, 32
# Padding, dropout and the optimiser, which the probe does without, add a fifth to a step (measured with MiniLM).
AROUND_STEP = 1.2
# Adapters, which start from nothing, want several times the rate of weights (Schulman et al. 2025).
ADAPTER_RATE = 5.0
# Rows whose pooled outputs suffice for a first head, where they are not computed for all rows anyway.
HEAD_ROWS = 2_000


@dataclass(frozen=True)
class Choice:
    """The `method` and `depth` (layers that learn), the most `tokens` of a part of a step, `recompute` of activations.

    `keeps`: what the lower layers make of each text is computed once and kept on disk. `epochs`: 0 for the plan's.
    """

    method: Method
    depth: int
    tokens: int = MOST_TOKENS
    recompute: bool = False
    keeps: bool = True
    epochs: int = 0


@dataclass(frozen=True)
class Size:
    """What costs of an encoder depend on; `megabytes` are its weights, `layer` the number of weights of a layer."""

    layers: int
    hidden: int
    inner: int
    layer: int
    megabytes: float


@dataclass(frozen=True)
class Work:
    """Tokens to learn from and to validate on, the longest row, and epochs.

    `most_epochs`: how many there may be where there is more time, 0 where the epochs are settled.
    """

    train: int
    valid: int
    longest: int
    rows: int
    epochs: int
    most_epochs: int = 0


@dataclass(frozen=True)
class Room:
    """What may be taken of memory and of the disk, and the `weight_bytes` that a weight that learns takes of it."""

    memory_mb: float
    disk_mb: float
    weight_bytes: int = WEIGHT_BYTES


@dataclass(frozen=True)
class Speed:
    """Seconds a token through all layers: forwards alone, and in a training step."""

    forward: float
    training: float


def size_of(encoder: Encoder) -> Size:
    """Return the size of an encoder."""
    layers = layers_of(encoder.backbone)
    widths = [module.out_features for module in layers[0].modules() if isinstance(module, torch.nn.Linear)]
    weights = sum(parameter.numel() for parameter in encoder.parameters())
    layer = sum(parameter.numel() for parameter in layers[-1].parameters())
    return Size(len(layers), encoder.hidden, max(widths, default=encoder.hidden), layer, weights * 4 / 1e6)


def measure(encoder: Encoder) -> Speed:
    """Time a forward pass and a training step through all layers on this machine, in about two seconds."""
    device = best_device()
    encoder.requires_grad_(requires_grad=False)
    # Weights are shared with the copy, so that a large base fits; gradients are dropped at the end. A copy that goes to
    # another device has its own: moving what is shared would move the caller's.
    is_home = next(encoder.parameters()).device.type == device.type
    probed = copied(encoder) if is_home else copy.deepcopy(encoder)
    assert isinstance(probed, Encoder)
    network = Tuned(probed, depth=len(layers_of(encoder.backbone)), method="layers", columns=1, width=2).to(device)
    tokens = int(encoder.backbone.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    shape = (PROBE_TOKENS // PROBE_LENGTH, PROBE_LENGTH)
    ids = torch.from_numpy(np.random.default_rng(0).integers(0, tokens, shape)).to(device)
    mask = torch.ones_like(ids)

    def forwards(_: int) -> None:
        with torch.inference_mode(), autocast(device, Plan()):
            network(ids, mask)
        _settled(device)

    def step(_: int) -> None:
        with autocast(device, Plan()):
            outputs = network(ids, mask)
        outputs.sum().backward()
        _settled(device)

    network.eval()
    forward = timed_steps(forwards, steps=4, seconds=0.6)
    network.train()
    taken = timed_steps(step, steps=4, seconds=1.4)
    network.zero_grad(set_to_none=True)
    encoder.requires_grad_(requires_grad=False)
    return Speed(forward / PROBE_TOKENS, taken / PROBE_TOKENS)


def choose(size: Size, work: Work, speed: Speed | None, *, room: Room, seconds: float) -> Choice:
    """Return the deepest choice that fits, with as many epochs as do; the smallest where none does.

    Raises `TrainingError` where even that cannot read every text once in `seconds`.
    """
    fitting = [found for depth in depths(size) if (found := fitted_to_memory(size, work, depth, room))]
    choices = fitting or [Choice("lora", 1, tokens=work.longest, recompute=True, keeps=size.layers > 1)]
    if speed is None:
        return choices[0]
    for choice in choices:
        for epochs in _epochs(work):
            if seconds_of(choice, size, replace(work, epochs=epochs), speed) <= seconds:
                return choice if epochs == work.epochs else replace(choice, epochs=epochs)
    least = seconds_of(choices[-1], size, replace(work, epochs=1), speed)
    if least > 2 * seconds:
        raise TrainingError(
            "the texts are too many to be read by the base in the time",
            expected=f"about {least:.0f} s",
            got=f"{seconds:.0f} s",
            fix="raise budget.time, or name a smaller `base`",
        )
    return choices[-1]


def _epochs(work: Work) -> range:
    """Return the epochs to choose from, the most first: the planned ones alone where the user says how many.

    Fewer epochs of more layers come before more of fewer: with MiniLM on SST-2 two epochs of six layers reach .886, and
    three of four layers, which take as long, .872.
    """
    if not work.most_epochs:
        return range(work.epochs, work.epochs - 1, -1)
    return range(max(work.epochs, work.most_epochs), math.ceil(FEWER_EPOCHS * work.epochs) - 1, -1)


def depths(size: Size) -> list[int]:
    """Return how many layers may learn, the most first."""
    return sorted({max(1, round(share * size.layers)) for share in SHARES}, reverse=True)


def seconds_of(choice: Choice, size: Size, work: Work, speed: Speed) -> float:
    """Estimate reading all texts once and training on them."""
    upper = choice.depth / size.layers
    lower = 1 - upper
    # Adapters spare the gradients of the weights they stand beside: a third of a step.
    step = speed.training * AROUND_STEP * (2 / 3 if choice.method == "lora" else 1) * (4 / 3 if choice.recompute else 1)
    everything = work.train + work.valid
    head = everything if choice.keeps and lower else work.train * min(1.0, HEAD_ROWS / max(1, work.rows))
    again = 0.0 if choice.keeps else lower * speed.forward
    epoch = work.train * (step * upper + again) + work.valid * (speed.forward * upper + again)
    return head * speed.forward + work.epochs * epoch


def memory_of(choice: Choice, size: Size, *, longest: int, weight_bytes: int = WEIGHT_BYTES) -> float:
    """Estimate the peak in MB beside what the process has now: weights, what learns, activations."""
    learning = size.layer * choice.depth * (weight_bytes if choice.method == "layers" else 1)
    tokens = max(choice.tokens, longest)
    inside = tokens * 4 * (12 * size.hidden + 3 * size.inner)
    kept = inside + tokens * 4 * size.hidden * choice.depth if choice.recompute else inside * choice.depth
    return 2 * size.megabytes + (learning + kept) / 1e6 + WORKSPACE_MB


def fitted_to_memory(
    size: Size, work: Work, depth: int, room: Room, *, methods: tuple[Method, ...] = ("layers", "lora")
) -> Choice | None:
    """Return how so many layers can learn within the memory, preferring what costs the least time, or None."""
    needed_mb = (work.train + work.valid) * size.hidden * 2 / 1e6
    keeps = depth < size.layers and needed_mb < room.disk_mb / 2
    for method in methods:
        for recompute in (False, True):
            for tokens in _halved(MOST_TOKENS, max(work.longest, 256)):
                choice = Choice(method, depth, tokens, recompute, keeps)
                needed = memory_of(choice, size, longest=work.longest, weight_bytes=room.weight_bytes)
                if needed <= room.memory_mb:
                    return choice
    return None


def _halved(most: int, least: int) -> list[int]:
    """Return `most`, its half, and so on, none below `least` but at least one."""
    count = max(0, math.floor(math.log2(most / least)))
    return [most >> step for step in range(count + 1)]


def _settled(device: torch.device) -> None:
    """Wait until the device has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def suited(plan: Plan, recipe: Recipe, choice: Choice) -> Plan:
    """Return the plan in parts that fit the memory, at the rate that what learns wants, for as long as was chosen."""
    faster = choice.method == "lora" and recipe.learning_rate is None
    factor = ADAPTER_RATE if faster else 1.0
    epochs = choice.epochs or plan.epochs
    return replace(plan, tokens=choice.tokens, learning_rate=plan.learning_rate * factor, epochs=epochs)
