"""An open package that writes text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headway.errors import InputError, PackageError
from headway.runtime.archive import MODEL, read_package
from headway.runtime.generation.answering import written_by
from headway.runtime.generation.decoder import CHUNK, Decoder
from headway.runtime.generation.engine import Engine
from headway.runtime.generation.prompts import Prompt, Prompts
from headway.runtime.generation.sampling import log_softmax
from headway.runtime.generation.wishes import Chance, Finish, Piece, Wish
from headway.runtime.manifest import Manifest
from headway.runtime.session import cores

# Texts that are written at once where more are asked for.
_TOGETHER = 8


@dataclass(frozen=True)
class Written:
    """An answer: its text, how many tokens it has, why it ended, and the chance of each token where asked for."""

    text: str
    tokens: int
    finish: Finish
    chances: tuple[Chance, ...] = ()


@dataclass(frozen=True)
class Generator:
    """A package that writes text. Its memory holds the texts under way: one thread at a time."""

    manifest: Manifest
    prompts: Prompts
    decoder: Decoder

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int = 256,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
        chances: int | None = None,
    ) -> list[Written]:
        """Return an answer to each prompt: a text that is continued, or the messages of a conversation.

        See `Wish` for the options; with a `seed`, the n-th prompt gets the seed `seed + n`. Raises `InputError`.
        """
        wishes = [
            Wish(max_tokens, temperature, top_p, None if seed is None else seed + number, tuple(stop), chances)
            for number in range(len(prompts))
        ]
        engine = Engine(self.decoder, self.prompts)
        answers = [engine.begin(self.ids_of(prompt), wish) for prompt, wish in zip(prompts, wishes, strict=True)]
        pieces: dict[int, list[Piece]] = {id(answer): [] for answer in answers}
        for answer in answers:
            engine.add(answer)
        for answer, piece in written_by(engine):
            pieces[id(answer)].append(piece)
        return [_joined(pieces[id(answer)]) for answer in answers]

    def stream(self, prompt: Prompt, wish: Wish | None = None) -> Iterator[Piece]:
        """Yield an answer piece by piece while it is written; see `Wish`."""
        engine = Engine(self.decoder, self.prompts)
        engine.add(engine.begin(self.ids_of(prompt), wish or Wish()))
        for _, piece in written_by(engine):
            yield piece

    def ids_of(self, prompt: Prompt) -> list[int]:
        """Return the token ids of a prompt; raises `InputError`."""
        return self.prompts.ids_of(prompt)

    def logprobs(self, ids: Sequence[int]) -> np.ndarray:
        """Return the logarithm of the probability of each token but the first, float64 `[length - 1]`.

        Raises `InputError` for more tokens than the window holds.
        """
        if len(ids) > self.decoder.window:
            raise InputError("the text is longer than the window of the model",
                             expected=f"at most {self.decoder.window} tokens", got=str(len(ids)))  # fmt: skip
        found = []
        for start in range(0, len(ids) - 1, CHUNK):
            part = np.asarray(ids[start : start + CHUNK])
            following = np.asarray(ids[start + 1 : start + 1 + CHUNK])
            logits = self.decoder.read(0, part, before=start, every=True)[: len(following)]
            found.append(log_softmax(logits.astype(np.float64))[np.arange(len(following)), following])
        return np.concatenate(found) if found else np.empty(0)


def load_generator(path: str | Path, *, threads: int | None = None, slots: int = _TOGETHER) -> Generator:
    """Open a package that writes text, a folder or a `.headway` file, and prove it first.

    `threads`: how many cores to use, all by default; `slots`: how many texts are written at once. Raises `PackageError`
    for anything that is not a whole, unchanged, understood package of the task generate.
    """
    manifest, files = read_package(Path(path))
    if manifest.generation is None:
        raise PackageError("this package writes no text", where=str(path), expected="the task generate",
                           got=manifest.task, fix="headway predict answers rows with it")  # fmt: skip
    return assemble_generator(manifest, files, threads=threads, slots=slots)


def assemble_generator(
    manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None, slots: int = _TOGETHER
) -> Generator:
    """Return the generator of a manifest and its files, which are not verified again."""
    facts = manifest.generation
    assert facts is not None
    prompts = Prompts(files[facts.tokenizer], facts)
    decoder = Decoder(files[MODEL], window=facts.window, slots=slots + 1, threads=threads or cores())
    if prompts.tokenizer.get_vocab_size() > decoder.vocabulary:
        raise PackageError("the tokenizer does not fit the decoder", expected=f"at most {decoder.vocabulary} tokens",
                           got=str(prompts.tokenizer.get_vocab_size()))  # fmt: skip
    return Generator(manifest, prompts, decoder)


def _joined(pieces: Sequence[Piece]) -> Written:
    """Return the pieces of one answer as a whole."""
    last = pieces[-1]
    assert last.finish is not None
    chances = tuple(chance for piece in pieces for chance in piece.chances)
    return Written("".join(piece.text for piece in pieces), last.tokens, last.finish, chances)
