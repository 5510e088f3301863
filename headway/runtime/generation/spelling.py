"""The bytes that tokens stand for: a token may be a part of a character, which no text can show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Spelling:
    """Spells the tokens of one tokenizer: byte-level ones (GPT-2), ones that fall back to bytes (Llama), and others."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Look at how the tokenizer makes text of its tokens."""
        self._tokenizer = tokenizer
        decoder = tokenizer.decoder
        steps = [] if decoder is None else list(_steps(json.loads(decoder.__getstate__())))
        kinds = {step["type"] for step in steps}
        self._is_byte_level, self._falls_back = "ByteLevel" in kinds, "ByteFallback" in kinds
        self._replaced = [
            (step["pattern"]["String"], step["content"])
            for step in steps
            if step["type"] == "Replace" and "String" in step["pattern"]
        ] + [(step["replacement"], " ") for step in steps if step["type"] == "Metaspace"]
        self._is_plain = kinds <= {"Replace", "Metaspace", "ByteFallback", "Fuse", "Strip"}

    def bytes_of(self, token: int) -> bytes:
        """Return the bytes of a token, those of a mark's own name for a mark, none for a number without a token."""
        piece = self._tokenizer.id_to_token(token)
        if piece is None:
            return b""
        if token in self._added:
            return piece.encode()
        found = _BYTE.fullmatch(piece) if self._falls_back else None
        if found is not None:
            return bytes([int(found[1], 16)])
        if self._is_byte_level and self._letters.keys() >= set(piece):
            return bytes(self._letters[letter] for letter in piece)
        if not self._is_plain:
            piece = self._tokenizer.decode([token], skip_special_tokens=False)
        for mark, text in self._replaced:
            piece = piece.replace(mark, text)
        return piece.encode("utf-8", "replace")

    @cached_property
    def _added(self) -> frozenset[int]:
        return frozenset(self._tokenizer.get_added_tokens_decoder())

    @cached_property
    def _letters(self) -> Mapping[str, int]:
        """The letter that stands for each byte in GPT-2's vocabulary: itself where it shows, else one further on."""
        shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        hidden = [byte for byte in range(256) if byte not in shown]
        letters = {chr(byte): byte for byte in shown}
        return letters | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def _steps(decoder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a decoder in order."""
    if decoder["type"] == "Sequence":
        for part in decoder["decoders"]:
            yield from _steps(part)
    else:
        yield decoder
