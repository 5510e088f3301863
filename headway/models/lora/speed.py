"""What this machine does in a second, and the precision and threads that are fastest here and now."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from headway.decoders.stack import DecoderConfig, layer_shapes
from headway.models.lora.plan import Precision
from headway.networks.device import has_bfloat16, limited

_ROWS, _TIMES = 512, 3
# From this many times slower on one thread beats all of them: other work holds the cores, and threads wait.
CROWDED = 1.25


@dataclass(frozen=True)
class Speed:
    """Floating-point operations a second in products of the decoder's size, and how they are reached."""

    operations: float
    precision: Precision
    threads: int | None


def speed_of(config: DecoderConfig, device: torch.device) -> Speed:
    """Measure the widest product of a layer in each way that the device has."""
    ways: list[Precision] = ["float32"]
    if has_bfloat16(device):
        ways.append("bfloat16")
    rates = {way: _rate(config, way, device) for way in ways}
    best = max(ways, key=rates.__getitem__)
    if device.type == "cpu" and torch.get_num_threads() > 1:
        with limited(1):
            alone = _rate(config, best, device)
        if alone > CROWDED * rates[best]:
            return Speed(alone, best, 1)
    return Speed(rates[best], best, None)


def _rate(config: DecoderConfig, precision: Precision, device: torch.device) -> float:
    """Return operations a second."""
    dtype = getattr(torch, precision)
    states = torch.ones(_ROWS, config.width, device=device)
    weight = torch.ones(config.hidden, config.width, device=device, dtype=dtype)
    seconds = []
    with torch.no_grad():
        for _ in range(_TIMES + 1):
            began = time.perf_counter()
            (states.to(dtype) @ weight.T).float().sum().item()
            seconds.append(time.perf_counter() - began)
    return 2 * _ROWS * config.width * config.hidden / min(seconds[1:])


def operations_a_token(config: DecoderConfig, *, answer_share: float = 0.5) -> float:
    """Return the operations of learning one token: forth and back through weights that do not learn themselves."""
    inside = config.layers * sum(shape[0] * shape[1] for shape in layer_shapes(config).values() if len(shape) == 2)
    return 4 * (inside + answer_share * config.vocabulary * config.width)
