"""A decoder becomes a package: in as few bits as its perplexity allows, measured on text."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headway.decoders.exporting import Precision, export_decoder
from headway.decoders.stack import DecoderConfig, Weights
from headway.errors import ParityError
from headway.package.writing import write_generator
from headway.runtime.archive import MODEL
from headway.runtime.generation import Generator
from headway.runtime.generation.answering import written_by
from headway.runtime.generation.engine import Engine
from headway.runtime.generation.generator import assemble_generator
from headway.runtime.generation.wishes import Wish
from headway.runtime.manifest import Generation, Manifest

# By how much the perplexity may grow, as a share of that in float32.
TOLERANCE = 0.03
_PRECISIONS: tuple[Precision, ...] = ("int4", "mixed", "int8", "float32")
_MB = 2**20
# Text that the model writes itself where none is given: pieces, and tokens of each.
_OWN, _OWN_TOKENS = 8, 96
_SPEED_TOKENS = 32


@dataclass(frozen=True)
class Proof:
    """What was measured for one precision: perplexity on the text, tokens written a second by one answer, megabytes."""

    precision: Precision
    perplexity: float
    tokens_per_second: float
    size_mb: float


@dataclass(frozen=True)
class Held:
    """Token ids of a text that nothing was learnt from; those from `first` on are judged, the ones before are given."""

    ids: Sequence[int]
    first: int = 1


@dataclass(frozen=True)
class Gated:
    """The model that ships, its proof, and that of float32."""

    onnx: bytes
    proof: Proof
    whole: Proof


def package_decoder(
    folder: Path,
    config: DecoderConfig,
    weights: Weights,
    tokenizer: bytes,
    generation: Generation,
    *,
    manifest: Manifest,
    card: str,
    texts: Sequence[Held] = (),
    precision: Precision | None = None,
    tolerance: float = TOLERANCE,
) -> Path:
    """Write the package `folder` and return it; what was measured stands in `measured` of its manifest.

    `manifest` says what only the caller knows; its task, generation and measurements are filled in. `texts`: held-out
    text on which perplexity is measured; without any, the model writes some itself. `precision` None takes
    the fewest bits whose perplexity grows by no more than `tolerance`; a precision that is named and loses more raises
    `ParityError`.
    """
    gated = gate(config, weights, tokenizer, generation, texts=texts, precision=precision, tolerance=tolerance)
    facts = replace(generation, precision=gated.proof.precision)
    whole = replace(
        manifest, task="generate", inputs=(), feeds=(), labels=(), generation=facts,
        measured={**manifest.measured, **figures_of(gated)},
    )  # fmt: skip
    return write_generator(folder, gated.onnx, tokenizer, whole, card=card)


def gate(
    config: DecoderConfig,
    weights: Weights,
    tokenizer: bytes,
    generation: Generation,
    *,
    texts: Sequence[Held] = (),
    precision: Precision | None = None,
    tolerance: float = TOLERANCE,
    onnx: bytes | None = None,
) -> Gated:
    """Return the model in the fewest bits that keep its perplexity; see `package_decoder`.

    `onnx`: the same in float32, where it is at hand.
    """
    onnx = export_decoder(config, weights) if onnx is None else onnx
    opened = _open(onnx, tokenizer, generation)
    pieces = [text for text in texts if len(text.ids) > text.first] or write_own(opened)
    whole = _prove(opened, onnx, pieces, "float32")
    del opened
    for tried in _PRECISIONS if precision is None else (precision,):
        if tried == "float32":
            return Gated(onnx, whole, whole)
        small = export_decoder(config, weights, precision=tried)
        proof = _prove(_open(small, tokenizer, generation), small, pieces, tried)
        if proof.perplexity <= whole.perplexity * (1 + tolerance):
            return Gated(small, proof, whole)
        if precision is not None:
            raise ParityError(
                f"the decoder loses too much in {tried}",
                expected=f"a perplexity of at most {whole.perplexity * (1 + tolerance):.2f}",
                got=f"{proof.perplexity:.2f}, {whole.perplexity:.2f} in float32",
                fix="leave the precision out: the fewest bits that keep it are taken",
            )
    raise AssertionError("float32 is always the last")


def perplexity(generator: Generator, texts: Sequence[Held]) -> float:
    """Return the perplexity over the tokens of texts that are judged; long texts are read in windows."""
    window = generator.decoder.window
    found = [
        generator.logprobs(text.ids[start : start + window])[max(0, text.first - start - 1) :]
        for text in texts
        for start in range(0, len(text.ids), window)
    ]
    return float(np.exp(-np.concatenate(found).mean()))


def write_own(generator: Generator) -> list[Held]:
    """Return texts that the model writes itself, always the same: what it expects most of all texts."""
    facts, engine = generator.manifest.generation, Engine(generator.decoder, generator.prompts)
    assert facts is not None
    start = facts.begin_id if facts.begin_id is not None else next(iter(facts.end_ids), 0)
    size = min(_OWN_TOKENS, generator.decoder.window - 1)
    answers = [engine.begin([start], Wish(max_tokens=size, seed=number)) for number in range(_OWN)]
    for answer in answers:
        engine.add(answer)
    for _ in written_by(engine):
        pass
    return [Held([*answer.prompt, *answer.ids]) for answer in answers]


def _open(onnx: bytes, tokenizer: bytes, generation: Generation) -> Generator:
    """Return a model that is still in memory as it will be when it is a package."""
    manifest = Manifest("decoder", "generate", "", (), (), generation=generation)
    return assemble_generator(manifest, {MODEL: onnx, generation.tokenizer: tokenizer}, slots=_OWN)


def _prove(generator: Generator, onnx: bytes, texts: Sequence[Held], precision: Precision) -> Proof:
    return Proof(precision, perplexity(generator, texts), measure_speed(generator), len(onnx) / _MB)


def measure_speed(generator: Generator) -> float:
    """Return the tokens a second that one answer gets, the median of its steps."""
    engine = Engine(generator.decoder, generator.prompts)
    size = min(_SPEED_TOKENS, generator.decoder.window - 2)
    answer = engine.begin([0], Wish(max_tokens=max(1, size), temperature=0))
    engine.add(answer)
    times = [time.perf_counter(), *(time.perf_counter() for _ in written_by(engine))]
    return 1 / float(np.median(np.diff(times)))


def figures_of(gated: Gated) -> Mapping[str, Any]:
    """Return what was measured, for a manifest."""
    return {
        "perplexity": gated.proof.perplexity,
        "perplexity_float32": gated.whole.perplexity,
        "perplexity_change": gated.proof.perplexity / gated.whole.perplexity - 1,
        "tokens_per_second": gated.proof.tokens_per_second,
        "tokens_per_second_float32": gated.whole.tokens_per_second,
        "size_mb": gated.proof.size_mb,
        "size_mb_float32": gated.whole.size_mb,
    }
