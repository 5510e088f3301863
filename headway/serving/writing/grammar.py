"""Answers held to a JSON schema: the grammar and its masks are llguidance's."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from headway.errors import MissingExtraError
from headway.runtime.generation.wishes import Constraint
from headway.serving.refusals import RefusalError

# How the JSON is written; a key of llguidance beside the schema.
_COMPACT: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class JsonGrammar:
    """What may come next so that the answer is JSON of a schema; one for each answer."""

    def __init__(self, tokenizer: str, vocabulary: int, ends: tuple[int, ...], schema: Mapping[str, Any]) -> None:
        """Begin an answer; raises `RefusalError` (400) for a schema that cannot be held to, and `MissingExtraError`."""
        try:
            from llguidance import LLMatcher
        except ImportError as error:
            raise MissingExtraError("serve", purpose="holding answers to a JSON schema") from error
        known = _read_tokenizer(tokenizer, vocabulary, ends)
        self._ends, self._vocabulary = ends, vocabulary
        # Small models lose themselves in white space where it is free.
        self._schema = json.dumps({**schema, "x-guidance": _COMPACT})
        self.matcher = LLMatcher(known, LLMatcher.grammar_from_json_schema(self._schema))
        self._check()

    def anew(self) -> JsonGrammar:
        """Return the same for another answer, as it stands now."""
        other = copy.copy(self)
        other.matcher = self.matcher.deep_copy()
        return other

    def allowed(self) -> np.ndarray:
        """Return bool `[vocabulary]`; raises `RefusalError` where the schema turns out to be too much."""
        from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

        bits = allocate_token_bitmask(1, self._vocabulary)
        fill_next_token_bitmask(self.matcher, bits, 0)
        self._check()
        return np.unpackbits(bits.view(np.uint8), bitorder="little")[: self._vocabulary].astype(bool)

    def take(self, token: int) -> None:
        """Go on past a token that was chosen; raises `RefusalError` where the schema turns out to be too much."""
        self.matcher.consume_token(token)
        self._check()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more may come but the end."""
        return bool(self.matcher.is_stopped())

    def _check(self) -> None:
        """Raise `RefusalError` (400) where the matcher has given up: it would let the answer end anywhere."""
        if self.matcher.is_error():
            told = str(self.matcher.get_error()).partition("<state>")[0]  # the rest is for those who wrote it
            found = " ".join(told.split())[:300]
            words = f"answers cannot be held to this JSON schema; got {found}"
            step = "make it simpler, or leave response_format out"
            more = {"param": "response_format", "code": None}
            raise RefusalError(400, "invalid_request_error", words, next=step, more=more)

    def constraint(self) -> Constraint:
        """Return the schema that a new answer keeps."""
        return Constraint("json", self._schema)


@lru_cache(maxsize=4)
def _read_tokenizer(tokenizer: str, vocabulary: int, ends: tuple[int, ...]) -> Any:
    """Return the vocabulary as llguidance keeps it."""
    from llguidance import LLTokenizer

    return LLTokenizer(tokenizer, n_vocab=vocabulary, eos_token=list(ends) or None)
