"""Where a network runs, in which precision, and under which seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from headway.networks.plan import Plan


def best_device() -> torch.device:
    """Return CUDA or MPS where present, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def autocast(device: torch.device, plan: Plan) -> AbstractContextManager[object]:
    """Return a context in which matrix work runs in bfloat16 where the hardware is faster with it."""
    if plan.precision == "float32" or not has_bfloat16(device):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type == "cpu":
        features = torch.cpu.get_capabilities()
        return bool(features.get("avx512_bf16") or features.get("amx_bf16"))
    return True


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Hold torch to `threads` threads on the CPU; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from `seed`, and leave the caller's state as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
