"""vLLM's `LLMEngine`, called as version 0.33 has it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.runtime.generation.wishes import MOST_CHANCES
from headway.serving.writing.vllm.engine import Heard

# Set before vLLM is imported. Its engine runs in a process of its own, begun afresh because this one has threads and a
# GPU context; nothing is reported to its makers; its log keeps to what matters.
_ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "1", "VLLM_WORKER_MULTIPROC_METHOD": "spawn", "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}  # fmt: skip
# How vLLM says that a text ended as texts do.
_ENDS = frozenset({"stop", "length"})


@dataclass(frozen=True)
class Memory:
    """What one package takes of a GPU, so that several share it: bytes for keys and values, and the share of all."""

    cache: int
    share: float


class VllmBackend:
    """One `LLMEngine` over a folder in the layout of Transformers."""

    def __init__(self, folder: Path, *, window: int, most: int, memory: Memory) -> None:
        """Read the weights to the GPU and prepare its programs, which takes a minute or so.

        Raises what vLLM raises.
        """
        os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
        from vllm import EngineArgs, LLMEngine
        from vllm.config import StructuredOutputsConfig

        self._engine = LLMEngine.from_engine_args(
            EngineArgs(
                model=str(folder),
                tokenizer=str(folder),
                dtype="auto",  # bfloat16 or float16, whichever the GPU has
                max_model_len=window,
                max_num_seqs=most,
                max_logprobs=MOST_CHANCES,
                logprobs_mode="raw_logprobs",  # before temperature and top_p
                kv_cache_memory_bytes=memory.cache,
                gpu_memory_utilization=memory.share,  # must be free when it begins
                generation_config="vllm",  # wishes alone say how to write
                structured_outputs_config=StructuredOutputsConfig(backend="guidance"),
                disable_log_stats=True,
                seed=0,
            )
        )

    def submit(self, name: str, prompt: list[int], sampling: Mapping[str, Any], form: Mapping[str, str] | None) -> None:
        """Begin an answer; raises ValueError (vLLM's own are such) for one that cannot be written."""
        from vllm import SamplingParams, TokensPrompt
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        structured = None if form is None else StructuredOutputsParams(**form)
        params = SamplingParams(**sampling, structured_outputs=structured, output_kind=RequestOutputKind.DELTA)
        self._engine.add_request(name, TokensPrompt(prompt_token_ids=prompt), params)

    def step(self) -> Sequence[Heard]:
        """Write on; return what is new."""
        return [_heard(output) for output in self._engine.step()]

    def abort(self, name: str) -> None:
        """Forget an answer."""
        self._engine.abort_request([name])

    def close(self) -> None:
        """End the process that holds the GPU."""
        self._engine.engine_core.shutdown()


def _heard(output: Any) -> Heard:
    """Return a `RequestOutput` with one `CompletionOutput` in our words."""
    new = output.outputs[0]
    logprobs = [{token: told.logprob for token, told in each.items()} for each in new.logprobs or ()]
    failure = "" if new.finish_reason in _ENDS else str(new.finish_reason or "")
    return Heard(output.request_id, list(new.token_ids), logprobs, bool(output.finished), failure)
