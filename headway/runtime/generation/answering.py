"""One answer under way, and what a token that was chosen adds to it: the same for every engine that writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np

from headway.errors import InputError
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.text import TextStream
from headway.runtime.generation.verse import Verse
from headway.runtime.generation.wishes import Chance, Finish, Piece, Wish

EngineName = Literal["onnx", "vllm"]


@dataclass(eq=False)
class Answer:
    """One text under way: `prompt` ids, `ids` written so far, `read` tokens of both that a cache holds."""

    prompt: list[int]
    wish: Wish
    stream: TextStream
    generator: np.random.Generator
    ids: list[int] = field(default_factory=list)
    read: int = 0
    finish: Finish | None = None


class TextEngine(Protocol):
    """Writes texts together; they join and leave while it writes.

    `begin` may be called by any thread, all else by one. What an answer was finished by stands in its last piece; an
    exception instead of a piece is an answer that failed alone, and one that `step` raises is the failure of all.
    """

    name: EngineName
    prompts: Prompts

    @property
    def window(self) -> int:
        """Return the most tokens of a prompt and its answer together."""

    @property
    def vocabulary(self) -> int:
        """Return how many tokens it tells apart."""

    @property
    def most(self) -> int:
        """Return how many texts are written at once at most."""

    @property
    def waiting(self) -> Iterable[Answer]:
        """Return the answers that have not begun."""

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing to do."""

    def begin(self, prompt: list[int], wish: Wish) -> Answer:
        """Return an answer that will be written; raises `InputError` for one that cannot be."""

    def add(self, answer: Answer) -> None:
        """Let an answer wait for its turn."""

    def drop(self, answer: Answer) -> None:
        """Forget an answer that nobody waits for any more."""

    def step(self) -> Sequence[tuple[Answer, Piece | Exception]]:
        """Write a little of every text; return what was written."""

    def close(self) -> None:
        """Give back what is held; nothing is written afterwards."""


def written_by(engine: TextEngine) -> Iterator[tuple[Answer, Piece]]:
    """Yield what an engine writes until there is nothing left to do; raises what an answer failed by."""
    while not engine.is_idle:
        for answer, piece in engine.step():
            if isinstance(piece, Exception):
                raise piece
            yield answer, piece


def begin_answer(prompt: list[int], wish: Wish, prompts: Prompts, *, window: int) -> Answer:
    """Return an answer that will be written; raises `InputError` for a prompt that leaves no room for a token."""
    if len(prompt) >= window:
        raise InputError(
            "the prompt is longer than the window of the model",
            where="prompt",
            expected=f"at most {window - 1} tokens, one less than the window of {window}",
            got=f"{len(prompt)} tokens",
            fix="shorten the prompt",
        )
    if wish.grammar is None and prompts.facts.lines:
        begun = () if prompts.facts.chat is not None else prompt  # an answer begins after what was asked
        wish = replace(wish, grammar=Verse(prompts.facts.lines, prompts.alphabet, begun))
    return Answer(prompt, wish, TextStream(prompts.tokenizer, wish.stop), np.random.default_rng(wish.seed))


def take_token(
    answer: Answer, token: int, *, ends: Collection[int], window: int, chances: tuple[Chance, ...] = ()
) -> Piece:
    """Go on past a token that was chosen, and return what it adds; an end adds neither a token nor a chance."""
    if token in ends:
        answer.finish = "stop"
        return Piece(answer.stream.finish(), len(answer.ids), "stop")
    answer.ids.append(token)
    text = answer.stream.add(token)
    answer.finish = _finish(answer, token, window)
    if answer.finish is not None:
        text += answer.stream.finish()
    return Piece(text, len(answer.ids), answer.finish, chances)


def chance_of(prompts: Prompts, token: int, logprob: float, others: tuple[Chance, ...] = ()) -> Chance:
    """Return the chance of a token with what it stands for."""
    raw = prompts.spelling.bytes_of(token)
    return Chance(token, raw.decode("utf-8", "replace"), raw, logprob, others)


def _finish(answer: Answer, token: int, window: int) -> Finish | None:
    """Return why an answer ends with this token, None where it goes on."""
    if answer.wish.grammar is not None:
        answer.wish.grammar.take(token)
        if answer.wish.grammar.is_over:
            return "stop"
    if answer.stream.is_stopped:
        return "stop"
    is_full = len(answer.prompt) + len(answer.ids) >= window
    return "length" if is_full or len(answer.ids) >= answer.wish.max_tokens else None
