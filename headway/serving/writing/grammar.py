"""Answers held to a JSON schema: the grammar and its masks are llguidance's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from headway.errors import InputError, MissingExtraError
from headway.runtime.generation.wishes import Constraint

# How the JSON is written; a key of llguidance beside the schema.
_COMPACT: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class JsonGrammar:
    """What may come next so that the answer is JSON of a schema; one for each answer."""

    def __init__(self, tokenizer: str, vocabulary: int, ends: tuple[int, ...], schema: Mapping[str, Any]) -> None:
        """Begin an answer; raises `InputError` for a schema that cannot be held to, and `MissingExtraError`."""
        try:
            from llguidance import LLMatcher
        except ImportError as error:
            raise MissingExtraError("serve", purpose="holding answers to a JSON schema") from error
        known = _read_tokenizer(tokenizer, vocabulary, ends)
        self._ends, self._vocabulary = ends, vocabulary
        # Small models lose themselves in white space where it is free.
        self._schema = json.dumps({**schema, "x-guidance": _COMPACT})
        self._matcher = LLMatcher(known, LLMatcher.grammar_from_json_schema(self._schema))
        if self._matcher.is_error():
            raise InputError("answers cannot be held to this JSON schema", where="response_format",
                             expected="a JSON schema", got=str(self._matcher.get_error())[:300])  # fmt: skip

    def allowed(self) -> np.ndarray:
        """Return bool `[vocabulary]`."""
        from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

        bits = allocate_token_bitmask(1, self._vocabulary)
        fill_next_token_bitmask(self._matcher, bits, 0)
        return np.unpackbits(bits.view(np.uint8), bitorder="little")[: self._vocabulary].astype(bool)

    def take(self, token: int) -> None:
        """Go on past a token that was chosen."""
        self._matcher.consume_token(token)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more may come but the end."""
        return bool(self._matcher.is_stopped())

    def constraint(self) -> Constraint:
        """Return the schema that a new answer keeps."""
        return Constraint("json", self._schema)


@lru_cache(maxsize=4)
def _read_tokenizer(tokenizer: str, vocabulary: int, ends: tuple[int, ...]) -> Any:
    """Return the vocabulary as llguidance keeps it."""
    from llguidance import LLTokenizer

    return LLTokenizer(tokenizer, n_vocab=vocabulary, eos_token=list(ends) or None)
