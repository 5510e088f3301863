"""Texts written together by vLLM, which batches them itself (Kwon et al. 2023, section 4); a `TextEngine`.

vLLM chooses tokens; what they mean (text, stop strings, ends, lengths) is found by the same code as for onnxruntime.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headway.errors import InputError, PackageError
from headway.runtime.generation.answering import Answer, EngineName, begin_answer, chance_of, take_token
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.wishes import Chance, Piece, Wish
from headway.serving.writing.vllm.sampling import form_of, sampling_of

# Failed steps in a row after which nothing is hoped for any more.
_PATIENCE = 3


@dataclass(frozen=True)
class Heard:
    """What vLLM tells of one answer: tokens, and for each the logarithms of probabilities by token where asked for.

    `is_over`: it writes no more of it; `failure`: why, where that is no end of a text.
    """

    id: str
    tokens: Sequence[int]
    logprobs: Sequence[Mapping[int, float]] = ()
    is_over: bool = False
    failure: str = ""


class Backend(Protocol):
    """What is asked of vLLM; belongs to one thread."""

    def submit(self, name: str, prompt: list[int], sampling: Mapping[str, Any], form: Mapping[str, str] | None) -> None:
        """Begin an answer; raises ValueError for one that cannot be written."""

    def step(self) -> Sequence[Heard]:
        """Write on; return what is new."""

    def abort(self, name: str) -> None:
        """Forget an answer."""

    def close(self) -> None:
        """End what runs on the GPU."""


class VllmEngine:
    """The texts that one vLLM writes; `on_broken` is called where it fails again and again."""

    name: EngineName = "vllm"

    def __init__(
        self,
        backend: Backend,
        prompts: Prompts,
        *,
        window: int,
        vocabulary: int,
        most: int,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        """Write nothing yet."""
        self.prompts, self.window, self.vocabulary, self.most = prompts, window, vocabulary, most
        self._backend, self._on_broken = backend, on_broken
        self._ends = frozenset(prompts.facts.end_ids)
        self._names = map(str, itertools.count())
        self._running: dict[str, Answer] = {}
        self.waiting: deque[Answer] = deque()
        self._failures = 0

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self.waiting or self._running)

    def begin(self, prompt: list[int], wish: Wish) -> Answer:
        """Return an answer that will be written.

        Raises `InputError` for a prompt that leaves no room, and for a form where the package has no end: vLLM says by
        that token that a form is done.
        """
        answer = begin_answer(prompt, wish, self.prompts, window=self.window)
        if not self._ends and form_of(answer) is not None:
            raise InputError(
                "vLLM cannot hold answers of this package to a form", expected="a package with an end token",
                fix="serve it with --engine onnx",
            )  # fmt: skip
        return answer

    def add(self, answer: Answer) -> None:
        """Let an answer wait for its turn."""
        self.waiting.append(answer)

    def drop(self, answer: Answer) -> None:
        """Forget an answer that nobody waits for any more."""
        answer.finish = answer.finish or "cancelled"
        if answer in self.waiting:
            self.waiting.remove(answer)
        name = next((name for name, each in self._running.items() if each is answer), None)
        if name is not None:
            self._leave(name)

    def step(self) -> list[tuple[Answer, Piece | Exception]]:
        """Hand over those whose turn has come and write on; raises `PackageError` where vLLM fails."""
        written = self._submit()
        if not self._running:
            return written
        try:
            heard = self._backend.step()
        except Exception as error:
            raise self._failed(error) from error
        self._failures = 0
        for each in heard:
            written += self._take(each)
        return written

    def close(self) -> None:
        """Give the GPU back."""
        self._backend.close()

    def _submit(self) -> list[tuple[Answer, Piece | Exception]]:
        """Hand waiting answers over; return those that are refused, with why."""
        refused: list[tuple[Answer, Piece | Exception]] = []
        while self.waiting and len(self._running) < self.most:
            answer, name = self.waiting.popleft(), next(self._names)
            sampling = sampling_of(answer, ends=self._ends, window=self.window)
            try:
                self._backend.submit(name, answer.prompt, sampling, form_of(answer))
            except ValueError as error:
                refused.append((answer, PackageError("vLLM refuses an answer", got=_short(error))))
            except Exception as error:
                self.waiting.appendleft(answer)
                raise self._failed(error) from error
            else:
                self._running[name] = answer
        return refused

    def _take(self, heard: Heard) -> list[tuple[Answer, Piece | Exception]]:
        """Return the pieces that new tokens make; what ends by our own rules is ended there too."""
        answer = self._running.get(heard.id)
        if answer is None:
            return []
        pieces: list[tuple[Answer, Piece | Exception]] = []
        for place, token in enumerate(heard.tokens):
            chances = self._chances(answer, token, heard.logprobs[place]) if heard.logprobs else ()
            pieces.append((answer, self._piece(answer, token, chances)))
            if answer.finish is not None:
                break
        if heard.is_over:
            del self._running[heard.id]
            return pieces if answer.finish is not None else [*pieces, (answer, _ended(answer, heard))]
        if answer.finish is not None:
            self._leave(heard.id)
        return pieces

    def _piece(self, answer: Answer, token: int, chances: tuple[Chance, ...]) -> Piece | Exception:
        """Return what a token adds; an answer that fails by it, whose form is too much perhaps, fails alone."""
        try:
            return take_token(answer, token, ends=self._ends, window=self.window, chances=chances)
        except Exception as error:  # noqa: BLE001 - those who wait for the others are not to suffer
            answer.finish = "cancelled"
            return error

    def _chances(self, answer: Answer, token: int, logprobs: Mapping[int, float]) -> tuple[Chance, ...]:
        """Return the chance of a token and the likeliest beside it; those that a form forbids have none."""
        if answer.wish.chances is None or token in self._ends:
            return ()
        possible = sorted((each for each in logprobs.items() if math.isfinite(each[1])), key=lambda each: -each[1])
        others = tuple(chance_of(self.prompts, other, value) for other, value in possible[: answer.wish.chances])
        return (chance_of(self.prompts, token, logprobs[token], others),)

    def _leave(self, name: str) -> None:
        """End an answer before vLLM does; a vLLM that is broken has forgotten it anyway."""
        del self._running[name]
        try:
            self._backend.abort(name)
        except Exception as error:  # noqa: BLE001 - the next step tells those who wait
            self._failed(error)

    def _failed(self, error: Exception) -> PackageError:
        """Count a failure and return what is told."""
        self._failures += 1
        if self._failures == _PATIENCE:
            self._on_broken()
        return PackageError("vLLM failed", got=f"{type(error).__name__}: {_short(error)}", fix="ask again")


def _ended(answer: Answer, heard: Heard) -> Piece | Exception:
    """Return the last piece of an answer that vLLM ended by a rule of its own."""
    if heard.failure:
        return PackageError("vLLM gave an answer up", got=heard.failure, fix="ask again")
    answer.finish = "length"
    return Piece(answer.stream.finish(), len(answer.ids), "length")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
