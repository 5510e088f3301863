"""Texts are written together, one token of each at a time; they join and leave the batch at every step.

Continuous batching (Yu et al. 2022, Orca, section 3.2): a step reads one piece of a waiting prompt, so that a long one
holds nobody up for long, and then writes a token of every text under way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from headway.errors import InputError
from headway.runtime.generation.decoder import CHUNK, Decoder
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.sampling import choose, likeliest, log_softmax
from headway.runtime.generation.text import TextStream
from headway.runtime.generation.verse import Verse
from headway.runtime.generation.wishes import Chance, Finish, Piece, Wish


@dataclass(eq=False)
class Answer:
    """One text under way: `prompt` ids, `ids` written so far, `read` tokens of both that the cache holds."""

    prompt: list[int]
    wish: Wish
    stream: TextStream
    generator: np.random.Generator
    ids: list[int] = field(default_factory=list)
    read: int = 0
    finish: Finish | None = None


class Engine:
    """The texts that one decoder writes; belongs to one thread."""

    def __init__(self, decoder: Decoder, prompts: Prompts) -> None:
        """Write nothing yet. The decoder's last slot is where prompts are read."""
        self.decoder, self._prompts = decoder, prompts
        self._ends = frozenset(prompts.facts.end_ids)
        self.waiting: deque[Answer] = deque()
        self.running: list[Answer] = []
        self._reading: Answer | None = None

    @property
    def most(self) -> int:
        """Return how many texts are written at once at most."""
        return self.decoder.slots - 1

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self.waiting or self.running or self._reading)

    def begin(self, prompt: list[int], wish: Wish) -> Answer:
        """Return an answer that will be written; raises `InputError` for a prompt that leaves no room for a token."""
        if len(prompt) >= self.decoder.window:
            raise InputError(
                "the prompt is longer than the window of the model",
                where="prompt",
                expected=f"at most {self.decoder.window - 1} tokens, one less than the window of {self.decoder.window}",
                got=f"{len(prompt)} tokens",
                fix="shorten the prompt",
            )
        if wish.grammar is None and self._prompts.facts.lines:
            wish = replace(wish, grammar=Verse(self._prompts.facts.lines, self._prompts.alphabet, prompt))
        stream = TextStream(self._prompts.tokenizer, wish.stop)
        return Answer(prompt, wish, stream, np.random.default_rng(wish.seed))

    def add(self, answer: Answer) -> None:
        """Let an answer wait for its turn."""
        self.waiting.append(answer)

    def drop(self, answer: Answer) -> None:
        """Forget an answer that nobody waits for any more."""
        answer.finish = answer.finish or "cancelled"
        if answer in self.running:
            self._leave(answer)
        elif answer is self._reading:
            self._reading = None
        elif answer in self.waiting:
            self.waiting.remove(answer)

    def step(self) -> list[tuple[Answer, Piece]]:
        """Do a little of everything that is to be done; return what was written."""
        written = self._read()
        if not self.running:
            return written
        ids = np.array([answer.ids[-1] for answer in self.running])
        lengths = np.array([answer.read for answer in self.running])
        logits = self.decoder.step(ids, lengths)
        for answer in self.running:  # all before any leaves, for what is moved then must be whole
            answer.read += 1
        for answer, row in zip(list(self.running), logits, strict=True):
            written.append((answer, self._write(answer, row)))
            if answer.finish is not None:
                self._leave(answer)
        return written

    def _read(self) -> list[tuple[Answer, Piece]]:
        """Read one piece of a prompt; with the last one the first token is written."""
        if self._reading is None and self.waiting and len(self.running) < self.most:
            self._reading = self.waiting.popleft()
        answer = self._reading
        if answer is None:
            return []
        part = np.array(answer.prompt[answer.read : answer.read + CHUNK])
        logits = self.decoder.read(self.most, part, before=answer.read)
        answer.read += len(part)
        if answer.read < len(answer.prompt):
            return []
        self._reading = None
        piece = self._write(answer, logits[0])
        if answer.finish is None:
            self.decoder.move(self.most, len(self.running), answer.read)
            self.running.append(answer)
        return [(answer, piece)]

    def _write(self, answer: Answer, logits: np.ndarray) -> Piece:
        """Choose the next token of an answer and return what it adds."""
        token = choose(logits, answer.wish, answer.generator)
        if token in self._ends:
            answer.finish = "stop"
            return Piece(answer.stream.finish(), len(answer.ids), "stop")
        answer.ids.append(token)
        text = answer.stream.add(token)
        answer.finish = self._finish(answer, token)
        if answer.finish is not None:
            text += answer.stream.finish()
        return Piece(text, len(answer.ids), answer.finish, self._chances(answer, token, logits))

    def _finish(self, answer: Answer, token: int) -> Finish | None:
        """Return why an answer ends with this token, None where it goes on."""
        if answer.wish.grammar is not None:
            answer.wish.grammar.take(token)
            if answer.wish.grammar.is_over:
                return "stop"
        if answer.stream.is_stopped:
            return "stop"
        is_full = len(answer.prompt) + len(answer.ids) >= self.decoder.window
        return "length" if is_full or len(answer.ids) >= answer.wish.max_tokens else None

    def _chances(self, answer: Answer, token: int, logits: np.ndarray) -> tuple[Chance, ...]:
        """Return the chance of the token that was chosen, where it was asked for."""
        if answer.wish.chances is None:
            return ()
        logprobs = log_softmax(logits.astype(np.float64))
        others = tuple(self._chance(other, logprobs) for other in likeliest(logprobs, answer.wish.chances))
        return (self._chance(token, logprobs, others),)

    def _chance(self, token: int, logprobs: np.ndarray, others: tuple[Chance, ...] = ()) -> Chance:
        text = self._prompts.tokenizer.decode([token], skip_special_tokens=False)
        return Chance(token, text, float(logprobs[token]), others)

    def _leave(self, answer: Answer) -> None:
        """Take an answer out of the batch; the last one takes its place, so that the rows stay together."""
        place = self.running.index(answer)
        last = self.running.pop()
        if last is not answer:
            self.decoder.move(len(self.running), place, last.read)
            self.running[place] = last
