"""Texts are written together, one token of each at a time; they join and leave the batch at every step.

Continuous batching (Yu et al. 2022, Orca, section 3.2): a step reads one piece of a waiting prompt, so that a long one
holds nobody up for long, and then writes a token of every text under way.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from headway.runtime.generation.answering import Answer, EngineName, begin_answer, chance_of, take_token
from headway.runtime.generation.decoder import CHUNK, Decoder
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.sampling import choose, likeliest, log_softmax
from headway.runtime.generation.wishes import Chance, Piece, Wish


class Engine:
    """The texts that one decoder writes with onnxruntime (a `TextEngine`); belongs to one thread."""

    name: EngineName = "onnx"

    def __init__(self, decoder: Decoder, prompts: Prompts) -> None:
        """Write nothing yet. The decoder's last slot is where prompts are read."""
        self.decoder, self.prompts = decoder, prompts
        self._ends = frozenset(prompts.facts.end_ids)
        self.waiting: deque[Answer] = deque()
        self.running: list[Answer] = []
        self._reading: Answer | None = None

    @property
    def window(self) -> int:
        """Return the most tokens of a prompt and its answer together."""
        return self.decoder.window

    @property
    def vocabulary(self) -> int:
        """Return how many tokens it tells apart."""
        return self.decoder.vocabulary

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
        return begin_answer(prompt, wish, self.prompts, window=self.decoder.window)

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

    def close(self) -> None:
        """Do nothing: memory goes with the decoder."""

    def step(self) -> list[tuple[Answer, Piece | Exception]]:
        """Do a little of everything that is to be done; return what was written, or why an answer failed alone."""
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

    def _read(self) -> list[tuple[Answer, Piece | Exception]]:
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

    def _write(self, answer: Answer, logits: np.ndarray) -> Piece | Exception:
        """Return what the next token of an answer adds; one that fails, by its grammar perhaps, fails alone."""
        try:
            return self._take(answer, logits)
        except Exception as error:  # noqa: BLE001 - those who wait for the others are not to suffer
            answer.finish = "cancelled"
            return error

    def _take(self, answer: Answer, logits: np.ndarray) -> Piece:
        """Choose the next token of an answer and return what it adds."""
        token = choose(logits, answer.wish, answer.generator)
        chances = () if token in self._ends else self._chances(answer, token, logits)
        return take_token(answer, token, ends=self._ends, window=self.decoder.window, chances=chances)

    def _chances(self, answer: Answer, token: int, logits: np.ndarray) -> tuple[Chance, ...]:
        """Return the chance of the token that was chosen, where it was asked for."""
        if answer.wish.chances is None:
            return ()
        logprobs = log_softmax(logits.astype(np.float64))
        tops = likeliest(logprobs, answer.wish.chances)
        others = tuple(chance_of(self.prompts, other, float(logprobs[other])) for other in tops)
        return (chance_of(self.prompts, token, float(logprobs[token]), others),)

    def _leave(self, answer: Answer) -> None:
        """Take an answer out of the batch; the last one takes its place, so that the rows stay together."""
        place = self.running.index(answer)
        last = self.running.pop()
        if last is not answer:
            self.decoder.move(len(self.running), place, last.read)
            self.running[place] = last
