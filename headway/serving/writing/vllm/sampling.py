"""A wish in the words of vLLM's `SamplingParams`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headway.runtime.generation.answering import Answer

# vLLM keeps seeds in 64 bits with a sign.
_SEEDS = 2**63 - 1


def sampling_of(answer: Answer, *, ends: Iterable[int], window: int) -> dict[str, Any]:
    """Return the arguments of `SamplingParams` for one answer.

    Only the package's own ends end it. Text, and with it stop strings, is made here and not there, by the same code as
    for onnxruntime. Forms are given apart: see `form_of`.
    """
    wish = answer.wish
    return {
        "max_tokens": min(wish.max_tokens, window - len(answer.prompt)),
        "temperature": wish.temperature,
        "top_p": wish.top_p,
        "seed": None if wish.seed is None else wish.seed & _SEEDS,
        "stop_token_ids": sorted(ends),
        "ignore_eos": True,
        "logprobs": wish.chances,
        "detokenize": False,
    }


def form_of(answer: Answer) -> dict[str, str] | None:
    """Return the arguments of `StructuredOutputsParams` for one answer, None where any text will do."""
    found = None if answer.wish.grammar is None else answer.wish.grammar.constraint()
    return None if found is None else {found.kind: found.text}
