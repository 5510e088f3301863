"""A package opened with vLLM."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping

from headway.decoders.stack import DecoderConfig, shapes
from headway.errors import HeadwayError, RunError
from headway.runtime.generation.prompts import Prompts
from headway.runtime.manifest import Manifest
from headway.serving.writing.vllm.backend import Memory, VllmBackend
from headway.serving.writing.vllm.engine import VllmEngine
from headway.serving.writing.vllm.weights import read_sizes, weights_folder

# Texts that are written at once.
_TOGETHER = 64
# Bytes of a number on the GPU, and what is left to the weights and to the work itself beside the cache.
_WIDE, _WORK, _SHARE = 2, 2**30, 0.8
# Tokens of a block of the cache; some blocks are never full.
_BLOCK = 16


def open_vllm(manifest: Manifest, files: Mapping[str, bytes]) -> VllmEngine:
    """Return an engine that writes as the package says, on the GPU; raises `RunError` where vLLM does not open it."""
    import torch

    facts = manifest.generation
    assert facts is not None
    try:
        folder = weights_folder(manifest, files)
        config = read_sizes(folder)
        free, total = torch.cuda.mem_get_info()
        memory = plan_memory(config, window=facts.window, free=free, total=total)
        backend = VllmBackend(folder, window=facts.window, most=_TOGETHER, memory=memory)
    except HeadwayError:
        raise
    except Exception as error:
        raise RunError(
            "vLLM cannot open this package", where=manifest.name, got=f"{type(error).__name__}: {error}"[:500],
            fix="see the log of vLLM above; --engine onnx writes on the CPU",
        ) from error  # fmt: skip
    return VllmEngine(
        backend, Prompts(files[facts.tokenizer], facts), window=facts.window, vocabulary=config.vocabulary,
        most=_TOGETHER, on_broken=_end_worker,
    )  # fmt: skip


def weight_count(config: DecoderConfig) -> int:
    """Return how many numbers the weights of a decoder are."""
    return sum(math.prod(shape) for shape in shapes(config).values())


def plan_memory(config: DecoderConfig, *, window: int, free: int, total: int) -> Memory:
    """Return what one package takes of a GPU with `free` of `total` bytes: a cache for all texts, or what there is.

    One text of the whole window must fit; vLLM says so where it does not.
    """
    token = _WIDE * 2 * config.layers * config.key_value_heads * config.head_width
    one, beside = token * (window + 2 * _BLOCK), _WIDE * weight_count(config) + _WORK
    cache = max(one, min(one * _TOGETHER, int((free - beside) * _SHARE)))
    return Memory(cache, min(1.0, (beside + cache) / total))


def _end_worker() -> None:
    """Let this worker finish what it can and end; the supervisor starts another, with a vLLM that is whole."""
    os.kill(os.getpid(), signal.SIGTERM)
