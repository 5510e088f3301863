"""Texts as the tokens of a base, and what its lower layers make of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch import Tensor

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.reading import text_feeds, token_feed, tokenizer_files
from headway.encoders.states import KeptStates, StateStore
from headway.encoders.tuned import Tuned
from headway.models.family import Examples
from headway.networks.batches import Columns, Sequences, sequential
from headway.networks.device import autocast, best_device
from headway.networks.plan import Plan
from headway.networks.trained import EVALUATION_BATCH, EVALUATION_TOKENS
from headway.runtime.feeds import encode
from headway.runtime.manifest import RowFeed, TokenFeed


@dataclass(frozen=True)
class Reader:
    """The feeds of the text columns and the tokenizer they name."""

    feeds: tuple[TokenFeed | RowFeed, ...]
    files: dict[str, bytes]

    @classmethod
    def of(cls, base: Base, examples: Examples) -> Reader:
        """Return what reads the text columns of `examples` as `base` wants them."""
        return cls(tuple(token_feed(base, column) for column in examples.columns("text")), tokenizer_files(base))

    @classmethod
    def of_rows(cls, base: Base, examples: Examples) -> Reader:
        """Return what also reads numbers, categories and dates, written as one text."""
        return cls(text_feeds(base, examples.inputs), tokenizer_files(base))

    def read(self, rows: pl.DataFrame) -> Columns:
        """Return the tokens of all rows, read as they will be in production."""
        return Columns(tuple(self._column(rows, feed) for feed in self.feeds))

    def _column(self, rows: pl.DataFrame, feed: TokenFeed | RowFeed) -> Sequences:
        arrays = encode(feed, {name: rows[name] for name in feed.columns}, files=self.files, strict=False)
        return Sequences.of(arrays[f"{feed.name}.ids"], arrays[f"{feed.name}.mask"], feed.pad_id)


def kept_columns(texts: Columns, network: Tuned, store: StateStore, clock: Clock) -> Columns:
    """Return `texts` with the states that enter the upper layers, computed where the store lacks them."""
    device = best_device()
    network.to(device).eval()

    def compute(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode(), autocast(device, Plan()):
            return network.cut.lower_states(ids.to(device), mask.to(device))

    for part in texts.parts:
        store.fill(part, compute, clock)  # type: ignore[arg-type]
    network.cpu()
    return Columns(tuple(store.find(part) for part in texts.parts))  # type: ignore[arg-type]


def pooled_of(texts: Columns, network: Tuned) -> np.ndarray:
    """Return the pooled outputs of all columns side by side, float32 `[n, columns * hidden]`."""
    if all(isinstance(part, KeptStates) for part in texts.parts):
        return np.concatenate([part.pooled for part in texts.parts], axis=1)  # type: ignore[attr-defined]
    device = best_device()
    network.to(device).eval()
    columns = []
    for part in texts.parts:
        pooled = np.zeros((len(part), network.cut.encoder.hidden), np.float32)
        for positions in sequential(part, EVALUATION_BATCH, EVALUATION_TOKENS):
            ids, mask = part.batch(positions, None)
            with torch.inference_mode():
                pooled[positions] = network.cut(ids.to(device), mask.to(device)).float().cpu().numpy()
        columns.append(pooled)
    network.cpu()
    return np.concatenate(columns, axis=1)
