"""Fit and use the n-gram model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.data.corpus.reading import PROMPT, TEXT
from headway.data.dataset import Form
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.ngram.counting import LONGEST, Counts, count
from headway.models.sequences import AFTER_PROMPT, lay_out, prompts_of
from headway.package.graph import Graph
from headway.tasks import Generate, Task
from headway.tasks.recipe import Recipe

# Unicode has so many places for characters; one that training never saw is any of those left.
_CHARACTERS = 0x110000
_SECONDS_A_CHARACTER, _MB_A_CHARACTER = 4e-6, 6e-4
SHORTEST = 4


@dataclass(frozen=True)
class Alphabet:
    """The characters of a corpus; ids 0 and 1 are a text's end and any character that the corpus does not have."""

    characters: str

    END, OTHER = 0, 1

    @property
    def size(self) -> int:
        """Return the number of ids."""
        return len(self.characters) + 2

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text, int64."""
        points = np.array([ord(character) for character in self.characters], np.int64)
        return [self._ids(text, points) for text in texts]

    def _ids(self, text: str, points: np.ndarray) -> np.ndarray:
        own = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
        place = np.minimum(np.searchsorted(points, own), len(points) - 1)
        return np.where(points[place] == own, place + 2, self.OTHER)


@dataclass(frozen=True)
class Ngrams:
    """A counted corpus."""

    alphabet: Alphabet
    counts: Counts
    form: Form

    @property
    def settings(self) -> Settings:
        """Return the longest n-gram that was chosen."""
        return {"longest": len(self.counts.levels)}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return nothing: counting has no curve."""
        return ()

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, 2]`: nats and characters (an end counts as one) of each row."""
        laid = lay_out(rows, self.alphabet.encode, self.form, begin=self.begin, end=Alphabet.END)
        ids = laid.ids.astype(np.int64)
        unseen = np.log(_CHARACTERS - self.alphabet.size)
        return laid.sums(self.counts.losses(ids) + (ids == Alphabet.OTHER) * unseen, rows.height)

    def graph(self) -> Graph | None:
        """Return None: the yardstick does not ship."""
        return None

    @property
    def begin(self) -> int:
        """Return what stands before a text."""
        return int(self.alphabet.encode([AFTER_PROMPT])[0][0]) if self.form == "stream" else Alphabet.END

    def write(self, prompt: str, *, most: int, temperature: float, seed: int) -> str:
        """Return up to `most` characters that continue `prompt`, drawn at a temperature, up to the text's end."""
        random = np.random.default_rng(seed)
        ids = [self.begin, *self.alphabet.encode([prompt])[0].tolist()]
        written: list[str] = []
        for _ in range(most):
            chances = self.counts.distribution(np.array(ids[-LONGEST:], np.int64))
            chances[Alphabet.OTHER] = 0.0
            chances = chances ** (1 / max(temperature, 1e-3))
            token = int(random.choice(len(chances), p=chances / chances.sum()))
            if token == Alphabet.END:
                break
            ids.append(token)
            written.append(self.alphabet.characters[token - 2])
        return "".join(written)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate a fit from the number of characters."""
    del task, recipe, seed
    characters = float(train.y.sum())
    return Estimate(_SECONDS_A_CHARACTER * characters, _MB_A_CHARACTER * characters)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Ngrams:
    """Count, and choose the longest n-gram by the validation part."""
    del recipe, seed, clock
    assert isinstance(task, Generate)
    alphabet = Alphabet("".join(sorted(_characters(train.rows))))
    laid = lay_out(train.rows, alphabet.encode, task.form, begin=Alphabet.END, end=Alphabet.END)
    counts = count(laid.ids.astype(np.int64), alphabet.size)
    if settings is not None:
        return Ngrams(alphabet, counts.shortened(int(settings["longest"])), task.form)
    lengths = range(SHORTEST, len(counts.levels) + 1)
    tried = [Ngrams(alphabet, counts.shortened(length), task.form) for length in lengths]
    if valid is None or not tried:
        return Ngrams(alphabet, counts, task.form)
    return min(tried, key=lambda one: float(one.predict(valid.rows)[:, 0].sum()))


def _characters(rows: pl.DataFrame) -> set[str]:
    """Return the different characters of texts and prompts."""
    found = set[str]()
    for text in rows[TEXT].to_list():
        found.update(text)
    if PROMPT in rows.columns:
        found.update(*prompts_of(rows))
    return found | {AFTER_PROMPT}
