"""From logits to the next token."""

from __future__ import annotations

import numpy as np

from headway.runtime.generation.wishes import Wish

# Below it only the likeliest token has a chance that float32 can hold, and dividing by it might leave its range.
_COLDEST = 1e-30


def choose(logits: np.ndarray, wish: Wish, generator: np.random.Generator) -> int:
    """Return the next token of float32 `[vocabulary]`; what the grammar of the wish forbids is never chosen."""
    if wish.grammar is not None:
        logits = np.where(wish.grammar.allowed()[: len(logits)], logits, -np.inf)
    if wish.temperature < _COLDEST:
        return int(logits.argmax())
    chances = np.exp((logits - logits.max()) / np.float32(wish.temperature))
    if wish.top_p == 1:
        return _draw(chances, generator)
    kept = _likely(chances / chances.sum(), wish.top_p)
    return int(kept[_draw(chances[kept], generator)])


def _likely(chances: np.ndarray, share: float) -> np.ndarray:
    """Return the likeliest tokens that have `share` together, at least one, the likeliest first."""
    # Sorting the whole vocabulary would take longer than all else; those below the threshold sum to less than the rest.
    candidates = np.flatnonzero(chances >= min((1 - share) / len(chances), float(chances.max())))
    order = candidates[np.argsort(-chances[candidates], kind="stable")]
    return order[: int(np.searchsorted(np.cumsum(chances[order]), share)) + 1]


def _draw(chances: np.ndarray, generator: np.random.Generator) -> int:
    """Return a place drawn by its chance; the chances need not sum to one."""
    sums = np.cumsum(chances, dtype=np.float64)
    place = int(np.searchsorted(sums, generator.random() * sums[-1], side="right"))
    return min(place, int(np.flatnonzero(chances)[-1]))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def likeliest(logprobs: np.ndarray, count: int) -> list[int]:
    """Return the `count` likeliest tokens, the likeliest first."""
    if count == 0:
        return []
    top = np.argpartition(-logprobs, min(count, len(logprobs) - 1))[:count]
    return [int(token) for token in top[np.argsort(-logprobs[top], kind="stable")]]
