"""Answers in the form that OpenAI's clients read."""

from __future__ import annotations

import time
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from headway.runtime.generation.wishes import Chance, Piece

Kind = Literal["chat", "text"]


@dataclass(frozen=True)
class Form:
    """What all pieces of one answer share."""

    kind: Kind
    id: str
    model: str
    version: str
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, choices: Sequence[Mapping[str, Any]], prompt: int, answer: int) -> dict[str, Any]:
        """Return a whole answer with the tokens it took."""
        kind = "chat.completion" if self.kind == "chat" else "text_completion"
        return {**self._head(kind), "choices": list(choices), "usage": usage(prompt, answer)}

    def part(self, choices: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """Return one piece of a streamed answer."""
        kind = "chat.completion.chunk" if self.kind == "chat" else "text_completion"
        return {**self._head(kind), "choices": list(choices), **more}

    def choice(self, index: int, pieces: Sequence[Piece]) -> dict[str, Any]:
        """Return one of the answers of a whole one."""
        text = "".join(piece.text for piece in pieces)
        end = {"index": index, "logprobs": self._chances(pieces), "finish_reason": pieces[-1].finish}
        if self.kind == "text":
            return {**end, "text": text}
        return {**end, "message": {"role": "assistant", "content": text, "refusal": None}}

    def delta(self, index: int, piece: Piece) -> dict[str, Any]:
        """Return what one piece adds to an answer."""
        end = {"index": index, "logprobs": self._chances([piece]), "finish_reason": piece.finish}
        if self.kind == "text":
            return {**end, "text": piece.text}
        return {**end, "delta": {"content": piece.text} if piece.text or piece.finish is None else {}}

    def opening(self, index: int) -> dict[str, Any]:
        """Return what stands before the first words of a streamed chat."""
        delta = {"role": "assistant", "content": "", "refusal": None}
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model,
                "system_fingerprint": self.version}  # fmt: skip

    def _chances(self, pieces: Sequence[Piece]) -> dict[str, Any] | None:
        """Return the chances of the tokens, None where they were not asked for."""
        chances = [chance for piece in pieces for chance in piece.chances]
        if not chances:
            return None
        if self.kind == "chat":
            return {"content": [{**_token(chance), "top_logprobs": list(map(_token, chance.others))}
                                for chance in chances], "refusal": None}  # fmt: skip
        return {
            "tokens": [_name(chance, "bytes:") for chance in chances],
            "token_logprobs": [chance.logprob for chance in chances],
            "top_logprobs": [{_name(other, "bytes:"): other.logprob for other in chance.others} for chance in chances],
            "text_offset": _offsets(chances),
        }


def usage(prompt: int, answer: int) -> dict[str, int]:
    """Return the tokens that a request took."""
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _token(chance: Chance) -> dict[str, Any]:
    return {"token": _name(chance), "logprob": chance.logprob, "bytes": list(chance.raw)}


def _name(chance: Chance, before: str = "") -> str:
    """Return the text of a token; one that is a part of a character is named by its bytes, as OpenAI does."""
    if chance.text.encode() == chance.raw:
        return chance.text
    return before + "".join(f"\\x{byte:02x}" for byte in chance.raw)


def _offsets(chances: Sequence[Chance]) -> list[int]:
    """Return how many characters were whole before each token."""
    decoder, found = getincrementaldecoder("utf-8")("ignore"), [0]
    for chance in chances:
        found.append(found[-1] + len(decoder.decode(chance.raw)))
    return found[:-1]
