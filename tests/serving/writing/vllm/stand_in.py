"""vLLM's place taken by the package's own decoder, where there is no GPU: real tokens, asked for in the same words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from headway.runtime.generation.generator import Generator
from headway.runtime.generation.sampling import choose, likeliest, log_softmax
from headway.runtime.generation.wishes import Constraint, Wish
from headway.serving.writing.vllm.engine import Heard


class Form:
    """What vLLM's guidance backend makes of a form; a `Grammar`."""

    def __init__(self, generator: Generator, form: Mapping[str, str]) -> None:
        import llguidance

        (kind, text), facts = next(iter(form.items())), generator.prompts.facts
        grammar = (
            llguidance.LLMatcher.grammar_from_json_schema(text, defaults={"whitespace_flexible": True})
            if kind == "json"
            else llguidance.grammar_from(kind, text)
        )
        known = llguidance.LLTokenizer(
            generator.prompts.tokenizer.to_str(), n_vocab=generator.decoder.vocabulary, eos_token=facts.end_ids[0]
        )
        self.matcher, self.vocabulary = llguidance.LLMatcher(known, grammar), generator.decoder.vocabulary

    def allowed(self) -> np.ndarray:
        import llguidance.numpy

        bits = llguidance.numpy.allocate_token_bitmask(1, self.vocabulary)
        llguidance.numpy.fill_next_token_bitmask(self.matcher, bits, 0)
        return np.unpackbits(bits.view(np.uint8), bitorder="little")[: self.vocabulary].astype(bool)

    def take(self, token: int) -> None:
        self.matcher.consume_token(token)

    @property
    def is_over(self) -> bool:
        return False

    def constraint(self) -> Constraint | None:
        return None


class StandIn:
    """A `Backend`: reads each text anew for each token."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.texts: dict[str, tuple[list[int], dict[str, Any], Wish, np.random.Generator, list[int]]] = {}
        self.aborted: list[str] = []
        self.is_closed = False

    def submit(self, name: str, prompt: list[int], sampling: Mapping[str, Any], form: Mapping[str, str] | None) -> None:
        grammar = None if form is None else Form(self.generator, form)
        wish = Wish(
            sampling["max_tokens"], sampling["temperature"], sampling["top_p"], sampling["seed"], grammar=grammar
        )
        self.texts[name] = (prompt, dict(sampling), wish, np.random.default_rng(wish.seed), [])

    def step(self) -> list[Heard]:
        return [self._write(name) for name in list(self.texts)]

    def _write(self, name: str) -> Heard:
        prompt, sampling, wish, random, ids = self.texts[name]
        logits = self.generator.decoder.read(0, np.array([*prompt, *ids]), before=0)[0]
        token = choose(logits, wish, random)
        ids.append(token)
        if wish.grammar is not None:
            wish.grammar.take(token)
        is_over = token in sampling["stop_token_ids"] or len(ids) >= sampling["max_tokens"]
        if is_over:
            del self.texts[name]
        return Heard(name, [token], self._logprobs(logits, token, sampling["logprobs"]), is_over)

    def _logprobs(self, logits: np.ndarray, token: int, count: int | None) -> list[dict[int, float]]:
        if count is None:
            return []
        logprobs = log_softmax(logits.astype(np.float64))
        return [{place: float(logprobs[place]) for place in [*likeliest(logprobs, count), token]}]

    def abort(self, name: str) -> None:
        self.aborted.append(name)
        self.texts.pop(name, None)

    def close(self) -> None:
        self.is_closed = True
