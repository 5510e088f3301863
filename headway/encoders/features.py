"""Vectors of texts by a frozen base: each text once, in batches of like length, kept for everybody who asks again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.exporting import OUTPUT, Precision, base_model, feature_key
from headway.encoders.on_gpu import Encode, encode_on_gpu, has_gpu
from headway.encoders.reading import tokenizer_bytes
from headway.encoders.store import open_store, text_keys
from headway.errors import TrainingError
from headway.runtime.feeds.batches import batches_of
from headway.runtime.feeds.padding import pad
from headway.runtime.feeds.tokens import open_tokenizer
from headway.runtime.session import cores, open_session

# Texts of one chunk: what a killed run loses at most.
CHUNK = 2048
# Fewer new texts than this are not worth a file.
WORTH_KEEPING = 16


@dataclass(frozen=True)
class Reader:
    """An opened base; safe to share between threads."""

    base: Base
    precision: Precision
    run: Encode

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 `[n, hidden]`; every text is computed, duplicates too."""
        rows = self.tokens(texts)
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        batches = list(batches_of(lengths))
        with ThreadPoolExecutor(max_workers=cores()) as pool:
            answers = list(pool.map(lambda batch: self._run(rows, lengths, batch), batches))
        out = np.empty((len(rows), answers[0].shape[1] if answers else 0), np.float32)
        for batch, answer in zip(batches, answers, strict=True):
            out[batch] = answer
        return out

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, read as in production."""
        tokenizer = open_tokenizer(tokenizer_bytes(self.base), self.base.max_length)
        plain = [(self.base.prefix + text).encode("utf-8", "replace").decode() for text in texts]
        return [encoding.ids or [self.base.pad_id] for encoding in tokenizer.encode_batch_fast(plain)]

    def _run(self, rows: list[list[int]], lengths: np.ndarray, batch: np.ndarray) -> np.ndarray:
        flat = np.fromiter((token for row in batch for token in rows[row]), np.int64, count=int(lengths[batch].sum()))
        ids = pad(flat, lengths[batch], fill=self.base.pad_id)
        mask = (np.arange(ids.shape[1]) < lengths[batch][:, None]).astype(np.int64)
        return self.run(ids, mask)


@lru_cache(maxsize=1)
def open_reader(base: Base, precision: Precision) -> Reader:
    """Return an opened base: on a GPU where there is one, else batches run side by side, each on one thread."""
    if precision == "float32" and has_gpu():
        return Reader(base, precision, encode_on_gpu(base))
    session = open_session(base_model(base, precision), threads=1)

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        answer: np.ndarray = session.run([OUTPUT], {"ids": ids, "mask": mask})[0]
        return answer

    return Reader(base, precision, run)


def features(
    base: Base, texts: Sequence[str], precision: Precision, *, store: Path | None = None, clock: Clock | None = None
) -> np.ndarray:
    """Return float32 `[n, hidden]` for texts, computing only those that are not kept yet, each once.

    Finished chunks stay, whatever happens; raises `TrainingError` where `clock` ends before the last one.
    """
    kept = open_store(store, feature_key(base, precision))
    keys, inverse = _distinct(text_keys(texts))
    known, found = kept.get(keys)
    missing = np.flatnonzero(~known)
    first = np.empty(len(keys), np.int64)
    first[inverse[::-1]] = np.arange(len(texts))[::-1]
    out: np.ndarray | None = None
    if len(found):
        out = np.empty((len(keys), found.shape[1]), np.float32)
        out[known] = found
    for chunk in _chunks(missing):
        if clock is not None and clock.expired:
            raise TrainingError(
                "the time ended before all texts were encoded",
                got=f"{len(keys) - len(missing)} texts of {len(keys)} and the chunks of this run are kept",
                fix="run again: it goes on from there; or raise budget.time",
            )
        rows = open_reader(base, precision).encode([texts[position] for position in first[chunk]])
        if len(missing) >= WORTH_KEEPING or store is None:
            kept.add(keys[chunk], rows)
        out = np.empty((len(keys), rows.shape[1]), np.float32) if out is None else out
        out[chunk] = rows
    return np.empty((0, 0), np.float32) if out is None else out[inverse]


def unknown(base: Base, texts: Sequence[str], precision: Precision, *, store: Path | None = None) -> list[str]:
    """Return the different texts whose vectors are not kept yet."""
    distinct = list(dict.fromkeys(texts))
    known, _ = open_store(store, feature_key(base, precision)).get(text_keys(distinct))
    return [text for text, is_known in zip(distinct, known, strict=True) if not is_known]


@dataclass(frozen=True)
class Pace:
    """How fast a base reads on this machine: seconds for a text, and tokens in a second."""

    text_seconds: float
    tokens_per_second: float


def pace_of(base: Base, texts: Sequence[str], precision: Precision, *, probe: int = 32) -> Pace:
    """Return the pace at which `texts` are read, from a timed probe of some of them; of none, that of an empty text."""
    reader = open_reader(base, precision)
    texts = texts or [""]
    some = [texts[position] for position in np.linspace(0, len(texts) - 1, min(probe, len(texts))).astype(int)]
    tokens = sum(map(len, reader.tokens(some)))
    reader.encode(some[:4])
    started = time.perf_counter()
    reader.encode(some)
    taken = max(time.perf_counter() - started, 1e-9)
    return Pace(taken / len(some), tokens / taken)


def seconds_for(base: Base, texts: Sequence[str], precision: Precision) -> float:
    """Return about how long it takes to encode `texts` here."""
    return pace_of(base, texts, precision).text_seconds * len(texts) if texts else 0.0


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, and for each row which of them it is."""
    distinct, inverse = np.unique(keys, axis=0, return_inverse=True)
    return distinct, inverse.reshape(-1)


def _chunks(missing: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(missing), CHUNK):
        yield missing[start : start + CHUNK]
