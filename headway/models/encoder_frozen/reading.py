"""How rows become vectors of a frozen base."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.exporting import Precision
from headway.encoders.features import features
from headway.errors import TrainingError
from headway.models.family import Examples
from headway.models.words import humanise, is_described_name, label_words, wordless
from headway.runtime.feeds.tokens import texts_of
from headway.runtime.manifest import RowFeed, TokenFeed
from headway.tasks import Classify, Task


@dataclass(frozen=True)
class Eyes:
    """How rows become vectors: base, precision, what is read of a row, and where vectors are kept."""

    base: Base
    precision: Precision
    feeds: tuple[TokenFeed | RowFeed, ...]
    store: Path | None

    def texts(self, rows: pl.DataFrame) -> list[list[str]]:
        """Return what each feed reads of the rows."""
        return [texts_of(feed, {name: rows[name] for name in feed.columns}, strict=False) for feed in self.feeds]

    def read(self, rows: pl.DataFrame, clock: Clock | None = None) -> np.ndarray:
        """Return float32 `[n, feeds * hidden]`; each feed's part has the length 1."""
        return self.encode(self.texts(rows), clock)

    def encode(self, texts: Sequence[Sequence[str]], clock: Clock | None = None) -> np.ndarray:
        """Return the same of the texts of each feed."""
        parts = []
        for own in texts:
            found = features(self.base, own, self.precision, store=self.store, clock=clock)
            parts.append(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))
        return np.concatenate(parts, axis=1)

    def say(self, words: Sequence[str]) -> np.ndarray:
        """Return the vectors of words as if every feed had read them."""
        return self.encode([words] * len(self.feeds))

    def read_words(self, task: Task) -> np.ndarray | None:
        """Return the vectors of the labels' words, see `word_vectors`."""
        return word_vectors(self.say, task)


def word_vectors(read: Callable[[Sequence[str]], np.ndarray], task: Task) -> np.ndarray | None:
    """Return the vectors of the labels' words, `[labels, width]`; None where a label says nothing.

    `read` makes vectors of texts. A label that has both a name in words and a description is the mean of the two.
    """
    if not isinstance(task, Classify) or wordless(task.labels, task.descriptions):
        return None
    said = read(label_words(task))
    named = [place for place, label in enumerate(task.labels) if is_described_name(label, task.descriptions)]
    if named:
        said[named] = (said[named] + read([humanise(task.labels[place]) for place in named])) / 2
    return said


def base_of(train: Examples) -> Base:
    """Return the base of the run; raises `TrainingError` without one."""
    if train.support.base is None:
        raise TrainingError("a frozen encoder needs a base model", fix="name one: `base: auto`, or a folder")
    return train.support.base
